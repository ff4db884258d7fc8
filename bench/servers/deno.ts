// Deno.serve, which keeps idle connections for ever.
import { handler } from "./handler.ts";

Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, handler);
