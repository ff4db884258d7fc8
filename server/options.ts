/**
 * Options: defaults, and checks with readable errors.
 *
 * @module
 */
import { MOST_PORT } from "./addresses.ts";
import { checkKinds, refuseUnknown, wholeNumber } from "./checks.ts";
import { type Place, placeOf } from "./listening.ts";
import { ARENA_SIZE, EVENT_SLOTS, FIELD_SLOTS } from "./memory.ts";
import { Backend, OPTIONS } from "./records.ts";
import { type Statsd, statsdOf } from "./statsd.ts";
import { proxiesOf, type Trust, trustOf } from "./trust.ts";
import type { BodyLimit, Options } from "./types.ts";

/** `listen(2)`'s backlog, as in bjoern. */
export const DEFAULT_LISTEN_BACKLOG = 1024;

const MOST = 2 ** 31 - 1;

/** Numeric options: default, minimum, maximum. */
export const NUMBERS = {
  port: [8000, 0, MOST_PORT],
  listenBacklog: [DEFAULT_LISTEN_BACKLOG, 1, MOST],
  mode: [0, 0, 0o7777],
  spin: [100, 0, 1_000_000],
  maxHeadSize: [16384, 64, 65535],
  maxTargetSize: [8192, 1, 65535],
  maxFields: [100, 1, 1000],
  maxBodySize: [16 * 1024 * 1024, 0, Number.MAX_SAFE_INTEGER],
  maxConnections: [0, 0, MOST],
  maxRequestsPerConnection: [0, 0, MOST],
  maxPipelined: [64, 1, 1024],
  maxBufferedSize: [256 * 1024 * 1024, 0, MOST],
  headTimeout: [10_000, 0, MOST],
  bodyTimeout: [30_000, 0, MOST],
  keepAliveTimeout: [5_000, 0, MOST],
  writeTimeout: [30_000, 0, MOST],
  minBodyRate: [240, 0, MOST],
  minWriteRate: [240, 0, MOST],
  requestTimeout: [0, 0, MOST],
  drainTimeout: [30_000, 0, MOST],
} as const satisfies Record<string, [fallback: number, least: number, most: number]>;

type NumberName = keyof typeof NUMBERS;

/** The other options and their `typeof`; `""` if checked separately. */
const OTHERS: Record<Exclude<keyof Options, NumberName>, string> = {
  host: "",
  statsd: "",
  trustProxy: "",
  proxyProtocol: "",
  backend: "string",
  reusePort: "boolean",
  keepAlive: "boolean",
  handleSignals: "boolean",
  patchGlobals: "boolean",
  onError: "function",
  onListen: "function",
  signal: "object",
};

const NAMES = [...Object.keys(NUMBERS), ...Object.keys(OTHERS)];

const NO_TLS = "a proxy in front (docs/deployment.md)";

/** Options of other servers, and of ours in other places. */
const ELSEWHERE: Record<string, string> = {
  automaticCompression: "contrib/compress",
  backlog: "listenBacklog",
  cert: NO_TLS,
  development: "contrib/error_page",
  error: "onError",
  handler: "run(handler, options)",
  hostname: "host",
  idleTimeout: "keepAliveTimeout, headTimeout, bodyTimeout and writeTimeout, in milliseconds",
  key: NO_TLS,
  maxRequestBodySize: "maxBodySize",
  maxRequests: "workers: { maxRequests }",
  path: 'host: "unix:/path"',
  routes: "contrib/router",
  static: "contrib/router",
  tcpBacklog: "listenBacklog",
  tls: NO_TLS,
  unix: 'host: "unix:/path"',
  websocket: "another server for WebSockets",
  workers: "run(), which alone takes it",
};

/** What Bun.serve takes besides `fetch`, in one object. */
const BESIDE_FETCH = [
  "port",
  "hostname",
  "unix",
  "tls",
  "routes",
  "static",
  "error",
  "websocket",
  "development",
  "idleTimeout",
  "maxRequestBodySize",
];

/** Refuses options next to an app's `fetch`, which would be ignored. Throws a TypeError. */
export function refuseBeside(app: object): void {
  const given = app as Record<string, unknown>;
  const lost = BESIDE_FETCH.find((name) => Object.hasOwn(app, name) && given[name] !== undefined);
  if (lost !== undefined) {
    const use = lost === "port" ? "it is an option of the server" : `use ${ELSEWHERE[lost]}`;
    throw new TypeError(`An app's "${lost}" would be lost: ${use}`);
  }
}

/** Options as the server uses them. */
export type Settings =
  & Omit<Options, NumberName | "host" | "backend" | "statsd">
  & Record<Exclude<NumberName, "port">, number>
  & {
    place: Place;
    /** `enum bj_backend`. */
    backend: number;
    statsd: Statsd | undefined;
    bodyLimit: BodyLimit | undefined;
    /** Which proxies are trusted. */
    trust: Trust | undefined;
    /** Who must start with a PROXY header. */
    proxies: string | undefined;
  };

function number(options: Options, name: NumberName): number {
  const [fallback, least, most] = NUMBERS[name];
  const value = options[name] ?? fallback;
  if (name === "maxBodySize" && (value === Infinity || typeof value === "function")) {
    return most;
  }
  return wholeNumber(name, value, least, most);
}

function numbersOf(options: Options): Record<NumberName, number> {
  const names = Object.keys(NUMBERS) as NumberName[];
  return Object.fromEntries(names.map((name) => [name, number(options, name)])) as Record<
    NumberName,
    number
  >;
}

function checkOthers(options: Options): void {
  refuseUnknown(options, NAMES, "", ELSEWHERE);
  checkKinds(options, OTHERS);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new TypeError("Option signal must be an AbortSignal");
  }
}

function backendOf(name: string): number {
  if (!Object.hasOwn(Backend, name)) {
    throw new TypeError(
      `Option backend must be one of ${Object.keys(Backend).join(", ")}: ${name}`,
    );
  }
  return Backend[name as keyof typeof Backend];
}

/** Checks options and fills in the defaults. Throws a TypeError, RangeError or ListenError. */
export function settingsOf(options: Options): Settings {
  checkOthers(options);
  const { port, ...numbers } = numbersOf(options);
  const isPortGiven = (options.port ?? undefined) !== undefined;
  return {
    ...options,
    ...numbers,
    place: placeOf(options.host ?? "127.0.0.1", port, isPortGiven),
    backend: backendOf(options.backend ?? "auto"),
    statsd: statsdOf(options.statsd),
    bodyLimit: typeof options.maxBodySize === "function" ? options.maxBodySize : undefined,
    trust: trustOf(options.trustProxy),
    proxies: proxiesOf(options.proxyProtocol),
  };
}

/** A `bj_options` record. */
export function toRecord(settings: Settings): Uint32Array {
  const members: Record<typeof OPTIONS[number], number> = {
    arena_size: ARENA_SIZE,
    field_slots: FIELD_SLOTS,
    event_slots: EVENT_SLOTS,
    max_head_size: settings.maxHeadSize,
    max_target_size: settings.maxTargetSize,
    max_fields: settings.maxFields,
    max_body_low: settings.maxBodySize % 2 ** 32,
    max_body_high: Math.floor(settings.maxBodySize / 2 ** 32),
    max_connections: settings.maxConnections,
    max_requests: settings.keepAlive === false ? 1 : settings.maxRequestsPerConnection,
    max_pipelined: settings.maxPipelined,
    head_timeout: settings.headTimeout,
    body_timeout: settings.bodyTimeout,
    idle_timeout: settings.keepAliveTimeout,
    write_timeout: settings.writeTimeout,
    min_body_rate: settings.minBodyRate,
    min_write_rate: settings.minWriteRate,
    request_timeout: settings.requestTimeout,
    max_buffered: settings.maxBufferedSize,
    backend: settings.backend,
    secure_targets: settings.trust === undefined ? 0 : 1,
  };
  return Uint32Array.from(OPTIONS, (name) => members[name]);
}
