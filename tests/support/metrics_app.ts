// Two workers, and a page with the metrics that their supervisor reports.
import { metricsPage } from "../../contrib/metrics.ts";
import process from "node:process";
import { run, Supervisor } from "../../mod.ts";

const server = run(() => String(process.pid), {
  port: 0,
  workers: { workers: 2, onEvent: () => {} },
});
if (server instanceof Supervisor) {
  await server.ready;
  const watcher = run(metricsPage(server, { labels: { app: "a" } }), { port: 0 });
  console.log(`${server.port} ${watcher.port}`);
  await server.finished;
  watcher.stop();
}
