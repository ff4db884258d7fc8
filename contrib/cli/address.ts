/**
 * Where to listen, from flags, the configuration file and the environment.
 *
 * @module
 */
import process from "node:process";
import { native } from "../../ffi/native.ts";
import { workerNumber } from "../../mod.ts";
import { complain } from "../../server/say.ts";
import { Failure } from "./failure.ts";

/** The address from one level: flags, the configuration file or the environment. */
export interface Place {
  /** The server's option. */
  host?: string;
  /** The server's option. */
  port?: number;
}

/** The other keys for an address. */
export interface Ways {
  /** The path or `@name` of a Unix socket. */
  uds?: string;
  /** An inherited descriptor. */
  fd?: number;
  /** dataflake.wsgi.bjoern's key for host and port. */
  listen?: Place;
}

/** Whether `host` is a socket without a port. */
function isSocket(host: string | undefined): boolean {
  return host !== undefined && /^(unix:|fd:|systemd(:|$))/.test(host);
}

/** Reads `PORT`, `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`; `undefined` if it is none of them. */
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

/** A `host` that needs no separate port: a socket, or `[::1]:8000`. */
function wholeOf(host: string | undefined): Place | undefined {
  const place = isSocket(host) ? { host } : parseListen(host ?? "");
  return place?.host === undefined ? undefined : place;
}

/** The address of a level. `show` names a key as the level does, for errors. */
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
 * The environment's HOST and PORT. Hosting platforms always set PORT: it is no error next to a host
 * that needs none, and it is only read if it is used.
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

/** How many sockets systemd has passed to this process: sd_listen_fds(3). */
function activated(): number {
  const count = Number(native.env("LISTEN_FDS")) || 0;
  const owner = native.env("LISTEN_PID");
  if (owner === String(process.pid)) {
    return count;
  }
  if (count > 0 && workerNumber() === undefined) {
    complain(
      `bjoern: systemd's sockets are for process ${
        owner ?? "?"
      }, not for this one, ${process.pid}; ` +
        "between them there must be no bunx, npm or shell",
    );
  }
  return 0;
}

/** Clients of the other sockets would wait forever unnoticed. */
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
 * Combines the levels, highest precedence first. A port overrides a lower level's socket without a
 * port; if no level has an address, systemd's socket precedes the defaults.
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
