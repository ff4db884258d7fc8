// A public app, and a second server, reachable only from this machine, that monitors it: metrics
// for Prometheus, and health checks for load balancers and orchestrators. Run it with
// bun examples/metrics.ts, or deno run --allow-ffi examples/metrics.ts
import process from "node:process";
import { metricsPage } from "../contrib/metrics.ts";
import { router } from "../contrib/router.ts";
import { run, type Server, type Supervisor } from "../mod.ts";

/**
 * Monitors `server`, or the workers of a supervisor: `/metrics`, `/healthz` (is it alive?) and
 * `/readyz` (does it accept new requests?).
 */
export function watch(server: Server | Supervisor, isReady: () => boolean, port: number): Server {
  const app = router({
    "/metrics": { GET: metricsPage(server, { labels: { app: "hello" } }) },
    "/healthz": { GET: () => "ok\n" },
    "/readyz": { GET: () => new Response(null, { status: isReady() ? 204 : 503 }) },
  });
  return run(app, "127.0.0.1", port);
}

if (import.meta.main) {
  let isReady = true;
  const server = run(() => "Hello, World!\n", "127.0.0.1", 8000, { handleSignals: true });
  const watcher = watch(server, () => isReady, 9000);
  // The first server closes its socket at the same moment: the orchestrator has to wait before
  // SIGTERM.
  process.on("SIGTERM", () => isReady = false);
  console.log(`Listening on ${server.url}, metrics at ${watcher.url}metrics`);
  await server.finished;
  watcher.stop();
}
