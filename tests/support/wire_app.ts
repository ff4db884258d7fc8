/**
 * The app behind the wire tests: reports what a handler sees, and does what the target says.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Handler, Info, Result } from "../../mod.ts";

/** Answers the requests for one path. */
export type Route = (
  request: Request,
  query: URLSearchParams,
  info: Info,
) => Result | Promise<Result>;

/** A request as a handler sees it, reported by `/seen`. */
export interface Sight {
  method: string;
  url: string;
  target: string;
  version: string;
  /** Octets, one character each. */
  body: string;
  /** Whether the request has a body at all. */
  hasBody: boolean;
  fields: Record<string, string>;
}

/** Resolves after `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((done) => setImmediate(done));
  }
}

/** A stream that makes each part on demand, in a turn of its own. */
export function streamOf(...parts: unknown[]): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      await turns(1);
      const part = parts[next++];
      if (part === undefined) {
        controller.close();
      } else if (part instanceof Error) {
        controller.error(part);
      } else {
        controller.enqueue(typeof part === "string" ? Buffer.from(part) : part as Uint8Array);
      }
    },
  });
}

/** The body's octets as characters up to U+00FF. */
export async function octetsOf(request: Request): Promise<string> {
  return Buffer.from(await request.arrayBuffer()).toString("latin1");
}

async function see(request: Request, _query: URLSearchParams, info: Info): Promise<Result> {
  const hasBody = request.body !== null;
  const sight: Sight = {
    method: request.method,
    url: request.url,
    target: info.rawTarget,
    version: info.httpVersion,
    body: await octetsOf(request),
    hasBody,
    fields: Object.fromEntries([...request.headers].map(([name, value]) => [`=${name}`, value])),
  };
  return Response.json(sight);
}

/** Counts requests that must never arrive. */
export interface Trap {
  /** Requests that were smuggled in other ones. */
  smuggled: number;
}

/** The routes of every wire test. */
function commonRoutes(trap: Trap): Record<string, Route> {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (query: URLSearchParams, info: Info) => {
    const name = `${info.remoteAddr.port} ${query.get("t")}`;
    const found = gates.get(name) ?? Promise.withResolvers<void>();
    gates.set(name, found);
    return found;
  };
  return {
    "/": () => new Response("hello"),
    "/*": () => new Response("star"),
    "/probe": (_request, query) => new Response(`probe:${query.get("t")}`),
    "/seen": see,
    "/method": (request) => new Response(request.method),
    "/body": async (request) => new Response(await request.arrayBuffer()),
    "/unread": () => new Response("unread"),
    "/late": async (_request, query) => {
      await turns(Number(query.get("n") ?? 3));
      return new Response(`late:${query.get("t")}`);
    },
    "/unread-late": async () => {
      await turns(3);
      return new Response("unread");
    },
    "/body-late": async (request) => {
      await turns(3);
      return new Response(await request.arrayBuffer());
    },
    // Waits until the same connection has requested `/release` with the same `t`.
    "/hold": async (_request, query, info) => {
      await gate(query, info).promise;
      return new Response(`held:${query.get("t")}`);
    },
    "/release": (_request, query, info) => {
      gate(query, info).resolve();
      return new Response(`released:${query.get("t")}`);
    },
    "/stream": () => new Response(streamOf("one,", "two,", "three")),
    "/throw": () => {
      throw new Error("a secret");
    },
    "/smuggled": () => {
      trap.smuggled++;
      return new Response("SMUGGLED");
    },
  };
}

/** A handler for the common routes and the given ones. */
export function appOf(routes: Record<string, Route>, trap: Trap): Handler {
  const all = new Map(Object.entries({ ...commonRoutes(trap), ...routes }));
  return (request, info) => {
    const url = new URL(request.url);
    const route = all.get(url.pathname);
    return route === undefined
      ? new Response("not found", { status: 404 })
      : route(request, url.searchParams, info);
  };
}
