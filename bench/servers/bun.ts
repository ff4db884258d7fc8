// Bun.serve.
import { handler, idle } from "./handler.ts";

const settings = idle === undefined ? {} : { idleTimeout: idle };
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: handler, ...settings });
console.log(server.port);
