// An app for everybody, and for those who watch it a second server that only this machine reaches:
// what it has counted, for Prometheus, and whether it is well, for load balancers and orchestrators.
import process from "node:process";
import { metricsPage } from "../contrib/metrics.ts";
import { router } from "../contrib/router.ts";
import { run, type Server, type Supervisor } from "../mod.ts";

/**
 * Watches `server`, or the workers of a supervisor: `/metrics`, `/healthz` (is it there?) and
 * `/readyz` (may it get more?).
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
  process.on("SIGTERM", () => isReady = false);
  console.log(`Listening on ${server.url}, metrics at ${watcher.url}metrics`);
  await server.finished;
  watcher.stop();
}
