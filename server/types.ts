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

/** What has been answered. */
export interface Sent {
  /** The response's status; 0 before there is one. */
  status: number;
  /** Bytes of its body so far, without the framing of chunks. */
  bytes: number;
}

/**
 * What the handler is told beside the request.
 *
 * @example
 * ```ts
 * import { type Handler } from "@x/bjoern";
 *
 * const whoAmI: Handler = (_request, info) => `You are ${info.remoteAddr.hostname}\n`;
 * ```
 */
export interface Info<A = NetAddr> {
  /** The client's address, as a trusted proxy tells it; then with port 0 where that is not told. */
  readonly remoteAddr: A;
  /** The other end of the connection, as the PROXY protocol tells it: a client or a proxy. */
  readonly peerAddr: A;
  /** The address at which the connection arrived, as the PROXY protocol tells it. */
  readonly localAddr: A;
  /** The request-target as the client sent it (RFC 9112 section 3.2), not normalised. */
  readonly rawTarget: string;
  /** The version that the client speaks. */
  readonly httpVersion: "1.0" | "1.1";
  /**
   * Resolves when the last octet of the response is handed to the kernel; rejects with the reason
   * when the response ends early, as when the client leaves. Who waits for it has to handle that: a
   * rejection that nobody handles ends the process. Ask for it before the response is complete.
   */
  readonly completed: Promise<void>;
  /** How much of the response is on its way. */
  readonly sent: Sent;
  /** Requests that this server has not answered yet, this one included. */
  readonly pendingRequests: number;
  /**
   * Aborts when the server begins to shut down, or a worker to be replaced: for responses that do
   * not end of themselves, which would otherwise hold it until its time is up and be cut then.
   *
   * @example
   * ```ts
   * import { type Handler } from "@x/bjoern";
   *
   * const ticks: Handler = (request, info) => {
   *   const signal = AbortSignal.any([request.signal, info.draining]);
   *   const body = new ReadableStream({
   *     start(controller) {
   *       const timer = setInterval(() => controller.enqueue("tick\n"), 1000);
   *       signal.addEventListener("abort", () => (clearInterval(timer), controller.close()));
   *     },
   *   });
   *   return new Response(body.pipeThrough(new TextEncoderStream()));
   * };
   * ```
   */
  readonly draining: AbortSignal;
  /** The client's address in Bun's shape; `null` on a Unix socket. */
  requestIP(request?: Request): SocketAddress | null;
  /**
   * Lets {@linkcode Server.shutdown} wait for `promise`, and keeps the request readable: of its body
   * what has arrived when the response ends.
   */
  waitUntil(promise: Promise<unknown>): void;
}

/** What a handler may return: a string is `text/plain`, bytes have no type. */
export type Result = Response | string | Uint8Array;

/** Answers a request. */
export type Handler<A = NetAddr> = (
  request: Request,
  info: Info<A>,
) => Result | Promise<Result>;

/** Says how many bytes the body of a request may have. */
export type BodyLimit = (request: Request, info: Info<Addr>) => number;

/** Answers a request at which the handler failed; nothing is the default response. */
export type OnError = (
  error: unknown,
  request: Request,
  info: Info<Addr>,
) => Response | undefined | void | Promise<Response | undefined | void>;

/** A handler, or an object (own or inherited `fetch`) that has one, as frameworks make it. */
export type App<A = NetAddr> = Handler<A> | { fetch: Handler<A> };

/** Where a server listens; one of the ways to say it. */
export interface Address {
  /**
   * A host name or an IP address, also with a port (`"[::1]:8080"`); `"unix:/path"`, or
   * `"unix:@name"` for an abstract address (Linux); a listening socket that this process has
   * inherited, as a descriptor's number or `"fd:3"`; `"systemd"` for the first one that systemd has
   * handed over, or `"systemd:name"` by its FileDescriptorName. Inherited sockets are never closed.
   * `"::"` serves IPv4 too.
   *
   * @default {"127.0.0.1"}
   */
  host?: string | number;
  /**
   * The TCP port; 0 takes a free one.
   *
   * @default {8000}
   */
  port?: number;
}

/** Options of a server. Sizes are in bytes, times in milliseconds, 0 means no limit unless said. */
export interface Options extends Address {
  /**
   * Connections that the kernel keeps until they are accepted.
   *
   * @default {1024}
   */
  listenBacklog?: number;
  /**
   * Lets several processes listen on the port (SO_REUSEPORT).
   *
   * @default {false}
   */
  reusePort?: boolean;
  /** Permissions of the socket file, such as `0o660`; by default what the umask leaves. */
  mode?: number;
  /**
   * Which proxies are believed: their addresses or networks (`"10.0.0.0/8"`), or `"loopback"`,
   * `"linklocal"`, `"uniquelocal"`, in a list or with commas; or a number of hops, 1 for whoever
   * connects. A Unix socket's peer counts as 127.0.0.1. What trusted peers say in `X-Forwarded-For`,
   * `-Proto` and `-Host`, or in `Forwarded` (RFC 7239) when none of these is there, becomes
   * `info.remoteAddr`, `requestIP()`, and scheme and host of `request.url`. Chains are followed from
   * the right, as far as they are trusted; what cannot be read is passed over.
   *
   * The proxy must set all of these fields or take them out: what it passes on from a client, the
   * client has made up.
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
   * Whether each connection begins with a header of the PROXY protocol (version 1 or 2 of haproxy's
   * proxy-protocol.txt) that says whose it is: `info.peerAddr`, `remoteAddr` and `localAddr` are then
   * what it says. A list as for `trustProxy` names who may connect; `true` lets everybody be anybody,
   * so only the proxy must be able to reach the server. Any other connection is closed unanswered,
   * and counted as `conn_proxy_error`.
   *
   * @default {false}
   */
  proxyProtocol?: boolean | string | readonly string[];
  /**
   * What libev waits with. The default is the environment's `LIBEV_FLAGS` (1 select, 2 poll, 4
   * epoll, 8 kqueue), or the best one of the system: epoll, or kqueue.
   *
   * @default {"auto"}
   */
  backend?: "auto" | "epoll" | "kqueue" | "poll" | "select";
  /** A statsd server that is told what is counted; by default there is none. */
  statsd?: StatsdOptions;
  /**
   * Whether SIGINT and SIGTERM stop the server: the first one lets running requests finish, the
   * second one ends them.
   *
   * @default {false}
   */
  handleSignals?: boolean;
  /**
   * For running requests to finish once a signal has come; then they are cut.
   *
   * @default {30000}
   */
  drainTimeout?: number;
  /** Stops the server at once when it aborts. */
  signal?: AbortSignal;
  /**
   * Called with what a handler threw, or with what was wrong about its result. What it returns is
   * the response; by default the error is logged and answered by 500.
   */
  onError?: OnError;
  /** Called once the server listens. */
  onListen?: (address: Addr) => void;
  /**
   * Whether `globalThis.Response` and `globalThis.Request` are true subclasses of the native ones
   * while a server runs. The first remembers what a response was made of, which spares most of the
   * cost of reading it back; the second lets Bun copy a handler's request.
   *
   * @default {true}
   */
  patchGlobals?: boolean;
  /**
   * How long to wait for work before the thread goes back to the runtime and sleeps there, in
   * microseconds; 0 sleeps at once. While few clients ask, this is busy waiting. A server whose work
   * comes later than that does not wait.
   *
   * @default {100}
   */
  spin?: number;
  /**
   * Request line and header fields together; more is answered by 431. At most 65535.
   *
   * @default {16384}
   */
  maxHeadSize?: number;
  /**
   * The request-target; more is answered by 414.
   *
   * @default {8192}
   */
  maxTargetSize?: number;
  /**
   * Header fields of a request; more are answered by 431. At most 1000.
   *
   * @default {100}
   */
  maxFields?: number;
  /**
   * A request's body; more is answered by 413, and before it is read if its Content-Length says so.
   * Chunk extensions and trailers do not count, but more than 16 KiB of them are answered by 431.
   * `Infinity` for no limit. A function is asked for each request that has a body, before the
   * handler, which does not get to see what is refused.
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
   */
  maxConnections?: number;
  /**
   * Requests on one connection before it is closed.
   *
   * @default {0}
   */
  maxRequestsPerConnection?: number;
  /**
   * Requests of one connection that are in flight at once; more wait.
   *
   * @default {64}
   */
  maxPipelined?: number;
  /**
   * Bytes that all connections may hold together for what waits: heads that are not complete,
   * pipelined requests, responses that clients do not take, whole bodies of responses that wait for
   * earlier ones. (The one that is being sent is in the program's own memory and does not count.)
   * When they hold more, connections with more than an equal share of it are cut, until the rest
   * fits; `Server.metrics()` tells `bytes_buffered`, and counts those in `conn_shed`. 0 for no limit.
   *
   * @default {268435456}
   */
  maxBufferedSize?: number;
  /**
   * For a request's head to be complete; then 408.
   *
   * @default {10000}
   */
  headTimeout?: number;
  /**
   * For the next part of a request's body to arrive; then 408.
   *
   * @default {30000}
   */
  bodyTimeout?: number;
  /**
   * Bytes a second that what arrives of a body has to come to: each part gives back as much of
   * `bodyTimeout` as it is worth by this rate. So a client may pause for all of `bodyTimeout`, but
   * one that sends an octet now and then is answered by 408 after at most twice that. Time in which
   * the server does not read, since the handler does not, does not count. Without a `bodyTimeout`
   * there is no rate; 0 takes any octet for enough.
   *
   * @default {240}
   */
  minBodyRate?: number;
  /**
   * Whether a connection is kept for more requests; `false` closes it after the first.
   *
   * @default {true}
   */
  keepAlive?: boolean;
  /**
   * For the next request to begin on a kept connection. Clients are told in `Keep-Alive`, in whole
   * seconds; less than one is not told. 0 waits for ever, `keepAlive: false` not at all.
   *
   * @default {5000}
   */
  keepAliveTimeout?: number;
  /**
   * For the client to take some more of a response; then the connection is reset.
   *
   * @default {30000}
   */
  writeTimeout?: number;
  /**
   * Bytes a second that what a client takes of responses has to come to, in the way of
   * `minBodyRate`, while more of them waits.
   *
   * @default {240}
   */
  minWriteRate?: number;
  /**
   * For all of a request, from its first byte to the last one of its response: the only timeout in
   * which the handler's time counts. When it is over and no response has begun, a request that the
   * client has not completed is answered by 408, and one that the handler has not answered by 503;
   * a response that has begun is cut, with its connection.
   *
   * @default {0}
   */
  requestTimeout?: number;
}
