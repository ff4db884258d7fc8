// Starts Workers that serve: one after the other, each terminated at a client's request, or three.
import { readdirSync } from "node:fs";
import process from "node:process";
import { run } from "../../mod.ts";
import { loadedApp } from "./loaded_app.ts";

async function start(): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(new URL("./serving_worker.ts", import.meta.url), { type: "module" });
  const port = await new Promise<number>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent) => resolve(data);
  });
  return { worker, port };
}

/** Serves the same app as its Workers, and manages them on request. Prints its port. */
function host(): void {
  const answer = loadedApp(1);
  let last: Worker | undefined;
  const server = run(async (request) => {
    switch (new URL(request.url).pathname) {
      case "/start": {
        const { worker, port } = await start();
        last = worker;
        return String(port);
      }
      case "/terminate":
        last?.terminate();
        return "terminated";
      case "/descriptors":
        return String(readdirSync("/dev/fd").length);
      case "/exit":
        return process.exit(7);
      case "/end":
        void server.shutdown();
        return "the end";
      default:
        return await answer(request);
    }
  }, { port: 0 });
  console.log(server.port);
}

if (process.argv.includes("together")) {
  for (const { port } of await Promise.all([start(), start(), start()])) {
    console.log(port);
  }
} else {
  host();
}
