// An unchanged Hono app (needs hono). `c.env` is the server's info. Run it with
// bun examples/hono.ts, or deno run --allow-ffi examples/hono.ts
import { Hono } from "hono";
import { type Info, run } from "../mod.ts";

const app = new Hono<{ Bindings: Info }>();

app.get("/", (c) => c.text("Hello from Hono\n"));
app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));
app.get("/whoami", (c) => c.text(`${c.env.remoteAddr.hostname}\n`));
app.post("/echo", async (c) => c.body(await c.req.text()));

// No default export: Bun would serve it, too, with its own server.
export { app };

if (import.meta.main) {
  const server = run(app, "127.0.0.1", 8000);
  console.log(`Listening on ${server.url}`);
}
