// A Worker that serves until it is terminated, and reports its port to its host.
import { run } from "../../mod.ts";
import { loadedApp } from "./loaded_app.ts";

const server = run(loadedApp(1), { port: 0, spin: 0, statsd: { port: 9 } });
(globalThis as unknown as { postMessage(message: unknown): void }).postMessage(server.port);
