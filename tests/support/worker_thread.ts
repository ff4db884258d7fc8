// One of the Web Workers of worker_threads.ts.
import { run, type Server, serverRun } from "../../mod.ts";

interface Scope {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;
let server: Server | undefined;

scope.onmessage = async ({ data }) => {
  if (server !== undefined) {
    await server.shutdown();
    scope.postMessage("drained");
    return;
  }
  const app = () => data.name;
  server = data.fd === undefined
    ? run(app, { port: data.port, reusePort: true })
    : serverRun(data.fd, app);
  scope.postMessage("ready");
};
scope.postMessage("loaded"); // what is sent earlier is lost
