// A program that runs its workers by a single call. The argument is JSON: the options.
import process from "node:process";
import { workerNumber } from "../../server/worker.ts";
import { runWorkers } from "../../server/workers/run.ts";

const app = () => JSON.stringify({ worker: workerNumber(), pid: process.pid });
const options = JSON.parse(process.argv[2]);

const server = runWorkers(app, {
  ...options,
  onListen: (addr) => console.log(JSON.stringify({ addr, pid: process.pid })),
});
for (const workers of [2, "x" as "auto"]) {
  try {
    runWorkers(app, { ...options, workers });
  } catch (error) {
    if (workerNumber() === undefined) {
      console.log((error as Error).message);
    }
  }
}
await server.finished;
if (workerNumber() === undefined) {
  console.log("finished");
}
