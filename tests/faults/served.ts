// Started by descriptors.ts.
import { run } from "../../mod.ts";

const server = run(() => new Response("ok"), "127.0.0.1", 0);
console.log(String(server.url));
