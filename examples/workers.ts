// As many processes as there are processors serve one port. Try:
//
//   kill -HUP  (the supervisor)  new code for all of them, no request is lost
//   kill -9    (a worker)        another one takes its place
//   kill -TERM (the supervisor)  they finish what they have and end
import process from "node:process";
import { run, workerNumber } from "../mod.ts";

const app = () => `Hello from worker ${workerNumber()}, process ${process.pid}\n`;

const server = run(app, { port: Number(process.env.PORT ?? 8000), workers: "auto" });

if (workerNumber() === undefined) {
  console.log(`Process ${process.pid} supervises the workers on ${server.url}`);
}
