// Bun.serve.
import { sendBy } from "../handlers/files.ts";
import { handler, idle } from "./handler.ts";

sendBy((path) => new Response(Bun.file(path, { type: "application/octet-stream" })));

const settings = idle === undefined ? {} : { idleTimeout: idle };
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: handler, ...settings });
console.log(server.port);
