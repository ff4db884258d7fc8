/**
 * Where to listen, said in several ways and at several levels.
 *
 * @module
 */
import process from "node:process";
import { native } from "../../ffi/native.ts";
import { workerNumber } from "../../mod.ts";
import { complain } from "../../server/say.ts";
import { Failure } from "./failure.ts";

/** What one level says: flags, the configuration file or the environment. */
export interface Place {
  /** As the server's option. */
  host?: string;
  /** As the server's option. */
  port?: number;
}

/** The keys that say where, beside host and port. */
export interface Ways {
  /** The path or `@name` of a Unix socket. */
  uds?: string;
  /** An inherited descriptor. */
  fd?: number;
  /** What dataflake.wsgi.bjoern has in place of host and port. */
  listen?: Place;
}

/** Whether `host` is a socket of its own, which has no port. */
function isSocket(host: string | undefined): boolean {
  return host !== undefined && /^(unix:|fd:|systemd(:|$))/.test(host);
}

/** Reads `PORT`, `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`; `undefined` when it is none of them. */
export function parseListen(text: string): Place | undefined {
  if (/^unix:./.test(text)) {
    return { host: text };
  }
  const found = /^(?:(?:\[([^\]]+)\]|([^:\s]+)):)?(\d+)$/.exec(text);
  if (found === null || Number(found[3]) > 65535) {
    return undefined;
  }
  const host = found[1] ?? found[2];
  return host === undefined ? { port: Number(found[3]) } : { host, port: Number(found[3]) };
}

/** What `host` says alone, without a port beside it: a socket of its own, or `[::1]:8000`. */
function wholeOf(host: string | undefined): Place | undefined {
  const place = isSocket(host) ? { host } : parseListen(host ?? "");
  return place?.host === undefined ? undefined : place;
}

/** Where a level listens. `show` names a key as the level does, for errors. */
export function placeOf(ways: Place & Ways, show: (key: string) => string): Place {
  const { uds, fd, listen, port } = ways;
  const host = uds !== undefined ? `unix:${uds}` : fd !== undefined ? `fd:${fd}` : ways.host;
  const whole = wholeOf(host);
  const given = (["uds", "fd", "host", "port"] as const).filter((key) => ways[key] !== undefined);
  const isOne = given.length < 2 || given.join() === "host,port" && whole === undefined;
  if (!isOne) {
    throw new Failure(2, `${show(given[0])} and ${show(given[1])} exclude each other`);
  }
  return given.length === 0 ? listen ?? {} : whole ?? { host, port };
}

/**
 * The environment's HOST and PORT. Hosting platforms set PORT always: it is no error beside a host
 * that needs none, and it is read only when it counts.
 */
export function placeInEnvironment(read: (text: string) => number): Place {
  const host = native.env("HOST") || undefined;
  return wholeOf(host) ?? {
    host,
    get port() {
      const port = native.env("PORT");
      return port ? read(port) : undefined;
    },
  };
}

/** How many sockets systemd hands to this process: sd_listen_fds(3). */
function activated(): number {
  const count = Number(native.env("LISTEN_FDS")) || 0;
  const owner = native.env("LISTEN_PID");
  if (owner === String(process.pid)) {
    return count;
  }
  if (count > 0 && workerNumber() === undefined) {
    complain(
      `bjoern: systemd's sockets are for process ${owner}, not for this one, ${process.pid}; ` +
        "between them there must be no bunx, npm or shell",
    );
  }
  return 0;
}

/** Clients of the others would wait for ever, and nobody would know. */
function useFirst(count: number): Place {
  if (count > 1) {
    complain(
      `bjoern: systemd has handed over ${count} sockets, the first one is served; ` +
        "--host systemd:NAME chooses another one",
    );
  }
  return { host: "systemd" };
}

/**
 * What the levels say together, the most important first. A port takes the place of a lower level's
 * socket that has none; when no level says anything, systemd's socket comes before the defaults.
 */
export function address(levels: Place[]): Place {
  let { host, port }: Place = {};
  for (const level of levels) {
    if (host === undefined && (port === undefined || !isSocket(level.host))) {
      host = level.host;
    }
    if (!isSocket(host)) {
      port ??= level.port;
    }
  }
  const isSaid = host !== undefined || port !== undefined;
  const count = isSaid ? 0 : activated();
  return count > 0 ? useFirst(count) : { host, port };
}
