// A Worker that serves until it is terminated, and tells its host the port.
import { run } from "../../mod.ts";

const server = run(() => "worker", "127.0.0.1", 0);
(globalThis as unknown as { postMessage(message: unknown): void }).postMessage(server.port);
