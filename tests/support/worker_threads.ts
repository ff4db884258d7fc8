// Web Workers that serve one port together: on one listening socket ("inherit"), or each on its own
// ("reuse"). Prints the port; SIGTERM makes all of them drain.
import process from "node:process";
import { bindAndListen } from "../../mod.ts";

const isShared = process.argv[2] === "inherit";
const listener = bindAndListen("127.0.0.1", 0, { reusePort: !isShared });
const { fd, addr } = listener;
const port = addr.transport === "tcp" ? addr.port : 0;
const where = isShared ? { fd } : { port };

const workers = Array.from(
  { length: 3 },
  () => new Worker(new URL("./worker_thread.ts", import.meta.url), { type: "module" }),
);

function heard(worker: Worker): Promise<unknown> {
  return new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
}

await Promise.all(workers.map(async (worker, i) => {
  await heard(worker);
  worker.postMessage({ ...where, name: String(i) });
  await heard(worker);
}));
if (!isShared) {
  listener.close(); // its share of the clients would wait for ever
}
console.log(port);
await new Promise((resolve) => process.once("SIGTERM", resolve));
await Promise.all(workers.map((worker) => {
  worker.postMessage("drain");
  return heard(worker);
}));
workers.forEach((worker) => worker.terminate());
listener.close();
