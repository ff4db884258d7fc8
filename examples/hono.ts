// A Hono app, as it is. `c.env` is the server's info.
import { Hono } from "hono";
import { type Info, run } from "../mod.ts";

const app = new Hono<{ Bindings: Info }>();

app.get("/", (c) => c.text("Hello from Hono\n"));
app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));
app.get("/whoami", (c) => c.text(`${c.env.remoteAddr.hostname}\n`));
app.post("/echo", async (c) => c.body(await c.req.text()));

// No default export: Bun would serve the module's, with its own server and beside this one.
export { app };

if (import.meta.main) {
  const server = run(app, "127.0.0.1", 8000);
  console.log(`Listening on ${server.url}`);
}
