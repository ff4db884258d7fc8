// The smallest server: bun examples/hello.ts, or
// deno run --allow-ffi examples/hello.ts
import { run } from "../mod.ts";

const server = run(() => new Response("Hello, World!\n"), "127.0.0.1", 8000);
console.log(`Listening on ${server.url}`);
