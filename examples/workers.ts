// One process per core, all serving one port. Run it with bun examples/workers.ts, or
// deno run --allow-ffi --allow-env --allow-run examples/workers.ts. Try:
//
//   kill -HUP  (the supervisor)  new code for all of them, no request is lost
//   kill -9    (a worker)        it is replaced
//   kill -TERM (the supervisor)  they finish their requests and exit
import process from "node:process";
import { run, workerNumber } from "../mod.ts";

const app = () => `Hello from worker ${workerNumber()}, process ${process.pid}\n`;

const server = run(app, { port: Number(process.env.PORT ?? 8000), workers: "auto" });

if (workerNumber() === undefined) {
  console.log(`Process ${process.pid} supervises the workers on ${server.url}`);
}
