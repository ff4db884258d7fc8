/**
 * The app behind the wire tests: it tells what the handler sees, and does what a target asks for.
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

/** What a handler sees of a request, as the path `/seen` reports it. */
export interface Sight {
  method: string;
  url: string;
  target: string;
  version: string;
  /** Octets, one character each. */
  body: string;
  /** Whether there is a body at all. */
  hasBody: boolean;
  fields: Record<string, string>;
}

/** Resolves after other work has had its turn `count` times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((done) => setImmediate(done));
  }
}

/** A stream that makes its parts when they are asked for, each in a turn of its own. */
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

/** Characters up to U+00FF for octets. */
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

/** Counts what must never be asked for. */
export interface Trap {
  /** Requests that were read out of what is none. */
  smuggled: number;
}

/** The routes that every wire test has. */
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
    // Waits until the same connection has asked for `/release` with the same `t`.
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

/** A handler of the common routes and of those given. */
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
