// Starts Workers that serve: one after the other, each terminated while it serves, or together.
import process from "node:process";
import { run } from "../../mod.ts";

async function serving(): Promise<Worker> {
  const worker = new Worker(new URL("./serving_worker.ts", import.meta.url), { type: "module" });
  const port = await new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent) => resolve(data);
  });
  console.log(port);
  return worker;
}

/** Terminates the Worker when a client asks for it. */
async function terminateWhenAsked(worker: Worker): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const server = run(
    () => {
      worker.terminate();
      asked.resolve();
      return "terminated";
    },
    "127.0.0.1",
    0,
  );
  console.log(server.port);
  await asked.promise;
  await server.shutdown();
}

if (process.argv.includes("together")) {
  await Promise.all([serving(), serving(), serving()]);
} else {
  for (let i = 0; i < 3; i++) {
    await terminateWhenAsked(await serving());
  }
}
