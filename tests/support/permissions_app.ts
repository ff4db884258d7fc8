// Uses the server in the way named by its argument, with the fewest permissions.
import process from "node:process";
import { serveStatic } from "../../contrib/static.ts";
import { type Handler, run, sendFile } from "../../mod.ts";

const [way, path] = process.argv.slice(2);

const apps: Record<string, () => Handler> = {
  library: () => () => "served",
  sendFile: () => () => sendFile(path),
  static: () => serveStatic(path, { index: "served.txt" }),
};

const host = way === "unix" ? { host: `unix:${path}` } : { port: 0 };
const more = { handleSignals: true, statsd: { port: 9 }, trustProxy: 1 };
const server = run((apps[way] ?? apps.library)(), { ...host, ...more });
console.log(`Listening on ${server.url}`);
await server.finished;
