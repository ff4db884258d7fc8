/**
 * The types of the handler contract.
 *
 * @module
 */

import type { StatsdOptions } from "./statsd.ts";

/** A TCP address, in Deno's shape. */
export interface NetAddr {
  /** Always `"tcp"`. */
  transport: "tcp";
  /** An IPv4 or IPv6 address, without brackets. */
  hostname: string;
  /** The port. */
  port: number;
}

/** The address of a Unix socket, in Deno's shape. */
export interface UnixAddr {
  /** Always `"unix"`. */
  transport: "unix";
  /** The path, `"@name"` for an abstract address, `""` for an unnamed client. */
  path: string;
}

/** An address of either kind. */
export type Addr = NetAddr | UnixAddr;

/** An IP address in Bun's shape. */
export interface SocketAddress {
  /** An IPv4 or IPv6 address, without brackets. */
  address: string;
  /** The port. */
  port: number;
  /** The kind of address. */
  family: "IPv4" | "IPv6";
}

/** What has been sent of a response. */
export interface Sent {
  /** The response's status; 0 before there is one. */
  status: number;
  /** Bytes of its body so far, without chunk framing. */
  bytes: number;
}

/**
 * What the handler gets besides the request.
 *
 * @example
 * ```ts
 * import { type Handler } from "@x/bjoern";
 *
 * const whoAmI: Handler = (_request, info) => `You are ${info.remoteAddr.hostname}\n`;
 * ```
 */
export interface Info<A = NetAddr> {
  /** The client's address, as reported by a trusted proxy; the port is then 0 if not reported. */
  readonly remoteAddr: A;
  /** The other end of the connection, or what its PROXY header says: a client or a proxy. */
  readonly peerAddr: A;
  /** The address at which the connection arrived, or what its PROXY header says. */
  readonly localAddr: A;
  /** The request-target as the client sent it (RFC 9112 section 3.2), not normalised. */
  readonly rawTarget: string;
  /** The client's HTTP version. */
  readonly httpVersion: "1.0" | "1.1";
  /**
   * Resolves when the last byte of the response has been handed to the kernel; rejects with the
   * reason if the response ends early, such as when the client leaves. Handle that if you use it:
   * an unhandled rejection ends the process. Access it before the response is complete.
   */
  readonly completed: Promise<void>;
  /** How much of the response has been sent. */
  readonly sent: Sent;
  /** Requests that this server has not answered yet, including this one. */
  readonly pendingRequests: number;
  /**
   * Aborts when the server begins to shut down, or the worker is being replaced, as long as this
   * request is not answered: for endless responses, which would otherwise delay that until the
   * timeout and then be cut.
   *
   * @example
   * ```ts
   * import { setTimeout as sleep } from "node:timers/promises";
   * import { type Handler } from "@x/bjoern";
   *
   * const ticks: Handler = (_request, { draining: signal }) =>
   *   new Response(
   *     new ReadableStream({
   *       async pull(controller) {
   *         try {
   *           await sleep(1000, undefined, { signal });
   *           controller.enqueue(new TextEncoder().encode("tick\n"));
   *         } catch {
   *           controller.close();
   *         }
   *       },
   *     }),
   *   );
   * ```
   */
  readonly draining: AbortSignal;
  /** The client's address in Bun's shape; `null` on a Unix socket. */
  requestIP(request?: Request): SocketAddress | null;
  /**
   * Makes {@linkcode Server.shutdown} wait for `promise`, and keeps the request readable: of its
   * body, only what has arrived when the response ends.
   */
  waitUntil(promise: Promise<unknown>): void;
}

/** What a handler may return: a string is sent as `text/plain`, bytes without a type. */
export type Result = Response | string | Uint8Array;

/** Answers a request. */
export type Handler<A = NetAddr> = (
  request: Request,
  info: Info<A>,
) => Result | Promise<Result>;

/** Returns how many bytes the body of a request may have. */
export type BodyLimit = (request: Request, info: Info<Addr>) => number;

/** Answers a request whose handler failed; returning nothing gives the default response. */
export type OnError = (
  error: unknown,
  request: Request,
  info: Info<Addr>,
) => Response | undefined | void | Promise<Response | undefined | void>;

/** A handler, or an object with an own or inherited `fetch` method, as in most frameworks. */
export type App<A = NetAddr> = Handler<A> | { fetch: Handler<A> };

/** Where a server listens. */
export interface Address {
  /**
   * A host name or an IP address, optionally with a port (`"[::1]:8080"`); `"unix:/path"`, or
   * `"unix:@name"` for an abstract address (Linux); an inherited listening socket, as a descriptor
   * number or `"fd:3"`; `"systemd"` for the first one passed by systemd, or `"systemd:name"` by its
   * FileDescriptorName. Inherited sockets are never closed. `"::"` also serves IPv4.
   *
   * @default {"127.0.0.1"}
   */
  host?: string | number;
  /**
   * The TCP port; 0 picks a free one.
   *
   * @default {8000}
   */
  port?: number;
}

/**
 * Options of a server. Sizes are in bytes, times in milliseconds; 0 means no limit unless stated.
 */
export interface Options extends Address {
  /**
   * How many connections the kernel queues until they are accepted.
   *
   * @default {1024}
   */
  listenBacklog?: number;
  /**
   * Allows several processes to listen on the port (SO_REUSEPORT).
   *
   * @default {false}
   */
  reusePort?: boolean;
  /**
   * Permissions of a Unix socket's file, such as `0o660`; by default set by the umask. Ignored for
   * TCP and inherited sockets.
   */
  mode?: number;
  /**
   * Which proxies are trusted: their addresses or networks (`"10.0.0.0/8"`), or `"loopback"`,
   * `"linklocal"`, `"uniquelocal"`, as a list or separated by commas; or a number of hops, 1 for
   * any peer. `true` is a TypeError. A Unix socket's peer counts as 127.0.0.1. What trusted peers
   * say in `X-Forwarded-For`, `-Proto` and `-Host`, or in `Forwarded` (RFC 7239) if there are none
   * of these, becomes `info.remoteAddr`, `requestIP()`, and scheme and host of `request.url`.
   * Chains are followed from the right, as far as they are trusted; unreadable values are ignored.
   *
   * The proxy must set or remove all of these fields: what it passes through, a client can forge.
   *
   * @default {false}
   *
   * @example
   * ```ts
   * import { run } from "@x/bjoern";
   *
   * const server = run((request) => request.url, { port: 0, trustProxy: "loopback" });
   * const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "example.org" };
   * console.log(await (await fetch(server.url, { headers })).text()); // https://example.org/
   * await server.shutdown();
   * ```
   */
  trustProxy?: false | number | string | readonly string[];
  /**
   * Whether each connection starts with a PROXY protocol header (version 1 or 2 of HAProxy's
   * proxy-protocol.txt), which then determines `info.peerAddr`, `remoteAddr` and `localAddr`. A
   * list as for `trustProxy` names who may connect; `true` accepts a header from anyone, so only
   * the proxy must be able to reach the server. Any other connection is closed without an answer,
   * and counted as `conn_proxy_error`.
   *
   * @default {false}
   */
  proxyProtocol?: boolean | string | readonly string[];
  /**
   * libev's backend. `"auto"` means the environment's `LIBEV_FLAGS` (1 select, 2 poll, 4 epoll,
   * 8 kqueue), or the system's best one: epoll, or kqueue.
   *
   * @default {"auto"}
   */
  backend?: "auto" | "epoll" | "kqueue" | "poll" | "select";
  /** A statsd server that receives the counters; none by default. */
  statsd?: StatsdOptions;
  /**
   * Whether SIGINT and SIGTERM stop the server: the first one lets running requests finish, a
   * second one stops immediately.
   *
   * @default {false}
   */
  handleSignals?: boolean;
  /**
   * How long running requests may take to finish after a signal; then they are cut.
   *
   * @default {30000}
   */
  drainTimeout?: number;
  /**
   * Stops the server immediately when it aborts.
   *
   * @example
   * ```ts
   * import { run } from "@x/bjoern";
   *
   * const controller = new AbortController();
   * const server = run(() => "Hello", { port: 0, signal: controller.signal });
   * controller.abort();
   * await server.finished;
   * ```
   */
  signal?: AbortSignal;
  /**
   * Called with what a handler threw, or with what was wrong with its result. What it returns is
   * the response; by default the error is logged and answered with 500.
   */
  onError?: OnError;
  /** Called once the server listens. */
  onListen?: (address: Addr) => void;
  /**
   * Whether `globalThis.Response` and `globalThis.Request` are replaced by true subclasses of the
   * native ones while a server runs. The first remembers what a response was made of, which saves
   * most of the cost of reading it back; the second lets Bun copy a handler's request.
   *
   * @default {true}
   */
  patchGlobals?: boolean;
  /**
   * How long to wait for work before the thread returns to the runtime and sleeps there, in
   * microseconds; 0 sleeps at once. With few clients this is busy waiting. If work usually arrives
   * later than that, the server does not wait.
   *
   * @default {100}
   */
  spin?: number;
  /**
   * Request line and header fields together; beyond that the answer is 431. At most 65535.
   *
   * @default {16384}
   */
  maxHeadSize?: number;
  /**
   * The request-target; beyond that the answer is 414.
   *
   * @default {8192}
   */
  maxTargetSize?: number;
  /**
   * Header fields of a request; beyond that the answer is 431. At most 1000.
   *
   * @default {100}
   */
  maxFields?: number;
  /**
   * A request's body; beyond that the answer is 413, before reading it if its Content-Length says
   * so. Chunk extensions and trailers do not count, but more than 16 KiB of them are answered with
   * 431. `Infinity` means no limit, 0 no body. A function is called for each request that has a
   * body, before the handler, which is not called for refused requests.
   *
   * @default {16777216}
   *
   * @example
   * ```ts
   * import { run } from "@x/bjoern";
   *
   * const server = run(async (request) => `${(await request.bytes()).length} bytes\n`, {
   *   port: 0,
   *   maxBodySize: ({ url }) => new URL(url).pathname === "/upload" ? 2 ** 30 : 2 ** 16,
   * });
   * server.stop();
   * ```
   */
  maxBodySize?: number | BodyLimit;
  /**
   * Open connections; more wait in the backlog.
   *
   * @default {0}
   *
   * @example
   * ```ts
   * import { run } from "@x/bjoern";
   *
   * const server = run(() => "Hello", { port: 0, maxConnections: 1000 });
   * server.stop();
   * ```
   */
  maxConnections?: number;
  /**
   * Requests on one connection, after which it is closed.
   *
   * @default {0}
   */
  maxRequestsPerConnection?: number;
  /**
   * Requests in flight on one connection; more wait.
   *
   * @default {64}
   */
  maxPipelined?: number;
  /**
   * Bytes that all connections together may buffer: incomplete heads, pipelined requests, responses
   * that clients do not read, whole bodies of responses that wait for earlier ones. (The one being
   * sent is in the program's own memory and does not count.) Beyond that, connections with more
   * than an equal share are cut until the rest fits; `Server.metrics()` has `bytes_buffered`, and
   * counts those connections in `conn_shed`.
   *
   * @default {268435456}
   */
  maxBufferedSize?: number;
  /**
   * How long a request's head may take to arrive; then 408.
   *
   * @default {10000}
   */
  headTimeout?: number;
  /**
   * How long the next part of a request's body may take to arrive; then 408.
   *
   * @default {30000}
   */
  bodyTimeout?: number;
  /**
   * Minimum bytes per second of a body: each part extends `bodyTimeout` in proportion to its size,
   * at this rate. So a client may pause for all of `bodyTimeout`, but one that sends a byte only
   * now and then is answered with 408 after at most twice that. Time in which the server does not
   * read because the handler does not is not counted. Without a `bodyTimeout` there is no rate;
   * with 0 any byte is enough.
   *
   * @default {240}
   */
  minBodyRate?: number;
  /**
   * Whether connections are kept open for more requests; `false` closes them after the first.
   *
   * @default {true}
   */
  keepAlive?: boolean;
  /**
   * How long to wait for the next request on an idle connection. Sent to clients in `Keep-Alive`,
   * in whole seconds, unless less than one. 0 waits forever, `keepAlive: false` not at all.
   *
   * @default {5000}
   */
  keepAliveTimeout?: number;
  /**
   * How long a client may take to read more of a response; then the connection is reset.
   *
   * @default {30000}
   */
  writeTimeout?: number;
  /**
   * Minimum bytes per second that a client must read while more of a response waits, enforced like
   * `minBodyRate`.
   *
   * @default {240}
   */
  minWriteRate?: number;
  /**
   * For a whole request, from its first byte to the last one of its response: the only timeout that
   * includes the handler's time. If no response has begun by then, a request that the client has
   * not completed is answered with 408, and one that the handler has not answered with 503; a
   * response that has begun is cut, with its connection.
   *
   * @default {0}
   */
  requestTimeout?: number;
}
