// A chat by long polling: a request for new messages waits until there is one, its client leaves,
// the server shuts down or the timeout expires. A waiting request is just an unsettled promise. Run
// it with
// bun examples/chat.ts, or deno run --allow-ffi examples/chat.ts
import { router } from "../contrib/router.ts";
import { type Handler, type Info, run } from "../mod.ts";

export interface Message {
  id: number;
  text: string;
}

const HISTORY = 100;

const PAGE = `<!doctype html>
<title>Chat</title>
<ul id="messages"></ul>
<form><input name="text" autocomplete="off" autofocus> <button>Say</button></form>
<script type="module">
  document.forms[0].onsubmit = async (event) => {
    event.preventDefault();
    await fetch("/messages", { method: "POST", body: new FormData(event.target).get("text") });
    event.target.reset();
  };
  for (let after = 0;;) {
    const response = await fetch("/messages?after=" + after);
    for (const { id, text } of await response.json()) {
      after = id;
      const item = document.createElement("li");
      item.textContent = text;
      document.querySelector("#messages").append(item);
    }
  }
</script>
`;

export class Chat {
  readonly #timeout: number;
  readonly #messages: Message[] = [];
  readonly #waiting = new Set<() => void>();
  #lastId = 0;

  /** `timeout` in milliseconds, after which a client gets an empty list, and asks again. */
  constructor(timeout = 25_000) {
    this.#timeout = timeout;
  }

  /** Requests waiting for the next message. */
  get suspended(): number {
    return this.#waiting.size;
  }

  /** Resumes all waiting requests. */
  say(text: string): void {
    this.#messages.push({ id: ++this.#lastId, text });
    this.#messages.splice(0, this.#messages.length - HISTORY);
    this.#waiting.forEach((resume) => resume());
  }

  /** Waits for the next message, unless the client leaves. */
  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", resume);
        this.#waiting.delete(resume);
        resolve();
      };
      const timer = setTimeout(resume, this.#timeout);
      signal.addEventListener("abort", resume);
      this.#waiting.add(resume);
      if (signal.aborted) {
        resume();
      }
    });
  }

  async #listen(request: Request, { draining }: Info): Promise<Response> {
    const after = Number(new URL(request.url).searchParams.get("after") ?? 0);
    const news = () => this.#messages.filter(({ id }) => id > after);
    if (news().length === 0) {
      await this.#next(AbortSignal.any([request.signal, draining]));
    }
    return Response.json(news(), { headers: { "cache-control": "no-store" } });
  }

  readonly fetch: Handler = router({
    "/": { GET: () => new Response(PAGE, { headers: { "content-type": "text/html" } }) },
    "/messages": {
      GET: (request, info) => this.#listen(request, info),
      POST: async (request) => {
        this.say(await request.text());
        return new Response(null, { status: 204 });
      },
    },
  });
}

if (import.meta.main) {
  const server = run(new Chat(), "127.0.0.1", 8000, { maxBodySize: 4096 });
  console.log(`Listening on ${server.url}`);
}
