// Server-Sent Events: an endless response. None of the server's timeouts cuts it, however long
// nothing happens: the idle timeout is for connections without a request, the write timeout for
// clients that do not read. It ends when the client leaves, and when the server shuts down or is
// replaced; the browser reconnects by itself. Run it with
// bun examples/sse.ts, or deno run --allow-ffi examples/sse.ts
import { router } from "../contrib/router.ts";
import { type Handler, type Info, run } from "../mod.ts";

const PAGE = `<!doctype html>
<title>Events</title>
<output></output>
<script>
  new EventSource("/events").onmessage = ({ data }) => {
    document.querySelector("output").textContent = data;
  };
</script>
`;

/** How many events a client may be behind; then it is cut, and reconnects. */
const MOST_BEHIND = 100;

const encoder = new TextEncoder();

type Controller = ReadableStreamDefaultController<Uint8Array>;

export class Feed {
  readonly #clients = new Set<Controller>();
  #lastId = 0;

  /** Number of connected clients. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Sends an event to all clients. */
  publish(data: string): void {
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    this.#send(`id: ${++this.#lastId}\n${lines.join("")}\n`);
  }

  /** Sends a comment, so that proxies do not time out. */
  beat(): void {
    this.#send(":\n\n");
  }

  #send(text: string): void {
    const bytes = encoder.encode(text);
    for (const client of this.#clients) {
      if (client.desiredSize! > 0) {
        client.enqueue(bytes);
      } else {
        this.#clients.delete(client);
        client.error(new DOMException("The client is too far behind", "AbortError"));
      }
    }
  }

  #events(request: Request, { draining }: Info): Response {
    let client: Controller;
    const leave = () => {
      if (this.#clients.delete(client)) {
        client.close();
      }
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        client = controller;
        this.#clients.add(client);
        client.enqueue(encoder.encode("retry: 1000\n\n")); // the head leaves with the first bytes
      },
      cancel: () => void this.#clients.delete(client),
    }, { highWaterMark: MOST_BEHIND });
    const ends = AbortSignal.any([request.signal, draining]);
    ends.aborted ? leave() : ends.addEventListener("abort", leave);
    return new Response(body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no", // nginx would buffer the events
      },
    });
  }

  readonly fetch: Handler = router({
    "/": { GET: () => new Response(PAGE, { headers: { "content-type": "text/html" } }) },
    "/events": { GET: (request, info) => this.#events(request, info) },
  });
}

if (import.meta.main) {
  const feed = new Feed();
  const server = run(feed, "127.0.0.1", 8000);
  setInterval(() => feed.publish(new Date().toISOString()), 1000);
  setInterval(() => feed.beat(), 15_000);
  console.log(`Listening on ${server.url}`);
}
