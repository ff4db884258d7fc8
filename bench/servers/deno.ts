// Deno.serve, which never closes idle connections.
import { sendBy } from "../handlers/files.ts";
import { handler } from "./handler.ts";

sendBy(async (path) => {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  const headers = { "content-type": "application/octet-stream", "content-length": `${size}` };
  return new Response(file.readable, { headers });
});

Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, handler);
