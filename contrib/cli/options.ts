/**
 * The table of options, from which the command line, its help, configuration files and the output
 * of `bjoern init` are derived. A new server option is one more line here.
 *
 * @module
 */
import { ListenError } from "../../server/errors.ts";
import { NUMBERS, settingsOf } from "../../server/options.ts";
import { Backend } from "../../server/records.ts";
import type { Options } from "../../server/types.ts";
import type { LogOptions } from "../log.ts";
import { parseListen, type Ways } from "./address.ts";
import { Failure } from "./failure.ts";

/** Options that the command line handles itself. */
interface Own extends Ways {
  /** Number of worker processes; `"auto"` for one per core. */
  workers?: number | "auto";
  /** Requests after which a worker is replaced. */
  maxRequests?: number;
  /** The access log's format. */
  accessLog?: Exclude<LogOptions["format"], (...args: never) => unknown>;
}

const OWN: (keyof Own)[] = ["uds", "fd", "listen", "workers", "maxRequests", "accessLog"];

/** Options by their keys. */
export interface Values extends Omit<Options, "host">, Own {
  /** As the server's option, but no number: `"fd:3"`. */
  host?: string;
}

/** Kinds of values: see {@linkcode READERS}. */
type Kind =
  | "text"
  | "listen"
  | "number"
  | "count"
  | "octal"
  | "switch"
  | "log"
  | "choice"
  | "statsd"
  | "peers";

/** A row of the table. */
export interface Option {
  /** The key in files, and of {@linkcode Values}. */
  key: keyof Values;
  /** The kind of its value. */
  kind: Kind;
  /** The value's name in `--help`, which also shows the unit. */
  value: string;
  /** Its description. */
  text: string;
  /** The flag, if it is not the key with hyphens; `""` if only files have it. */
  flag?: string;
  /** The flag in one letter. */
  short?: string;
  /** The default, if not defined by the server. */
  fallback?: unknown;
  /** A value to show if there is no default. */
  example?: unknown;
  /** Minimum and maximum, if not defined by the server. */
  range?: [least: number, most: number];
  /** The allowed values. */
  choices?: string[];
}

type More = Omit<Option, "key" | "kind" | "value" | "text">;

function rows(kind: Kind): (key: keyof Values, value: string, text: string, more?: More) => Option {
  return (key, value, text, more) => ({ key, kind, value, text, ...more });
}

const [text, number, flag] = [rows("text"), rows("number"), rows("switch")];
const MOST = 2 ** 31 - 1;
const FORMATS = ["common", "combined", "json", "off"];

/** The table, by headings. */
export const GROUPS: Record<string, Option[]> = {
  "Address": [
    text("host", "ADDR", "name, IP address, unix:PATH, fd:N or systemd", {
      short: "a",
      fallback: "127.0.0.1",
    }),
    number("port", "PORT", "0 picks a free one", { short: "p" }),
    rows("listen")("listen", "", "instead of host and port", { flag: "", example: "0.0.0.0:80" }),
    text("uds", "PATH", "Unix socket, @NAME for an abstract one", { example: "/run/app.sock" }),
    number("fd", "N", "inherited listening socket", { range: [0, MOST], example: 3 }),
    rows("octal")("mode", "MODE", "permissions of the Unix socket", { example: "660" }),
    flag("reusePort", "", "share the port with other processes", { fallback: false }),
    number("listenBacklog", "N", "connections waiting to be accepted", { flag: "backlog" }),
  ],
  "Process": [
    rows("count")("workers", "N", "number of processes; auto: one per core", {
      range: [1, 1024],
      example: "auto",
    }),
    number("maxRequests", "N", "requests after which a worker is replaced", {
      range: [0, MOST],
      fallback: 0,
    }),
    rows("log")("accessLog", "", "common, combined or json", { choices: FORMATS, fallback: "off" }),
    rows("statsd")("statsd", "JSON", "statsd server that receives the counters", {
      choices: ["enable", "host", "port", "ns", "tags", "interval"],
      example: { host: "127.0.0.1", port: 8125, ns: "bjoern" },
    }),
    rows("choice")("backend", "NAME", Object.keys(Backend).join(", "), {
      choices: Object.keys(Backend),
      fallback: "auto",
    }),
    number("spin", "US", "of busy waiting for work before sleeping"),
    flag("patchGlobals", "", "subclass the global Request and Response", { fallback: true }),
  ],
  "Behind a proxy": [
    rows("peers")("trustProxy", "PEERS", "whose X-Forwarded-* and Forwarded are trusted", {
      fallback: false,
    }),
    rows("peers")(
      "proxyProtocol",
      "PEERS",
      "whose connections start with a PROXY header; on: all",
      {
        fallback: false,
      },
    ),
  ],
  "Limits": [
    number("maxHeadSize", "BYTES", "request line and header fields; beyond that 431"),
    number("maxTargetSize", "BYTES", "request-target; beyond that 414"),
    number("maxFields", "N", "header fields of a request; beyond that 431"),
    number("maxBodySize", "BYTES", "body, Infinity for any; beyond that 413"),
    number("maxConnections", "N", "open connections, 0 for any"),
    number("maxRequestsPerConnection", "N", "after which it is closed, 0 for any"),
    number("maxPipelined", "N", "requests in flight per connection"),
    number("maxBufferedSize", "BYTES", "buffered for all connections, 0 for any"),
  ],
  "Timeouts, 0 for none": [
    flag("keepAlive", "", "keep connections open for more requests", { fallback: true }),
    number("headTimeout", "MS", "to receive a request's head; then 408"),
    number("bodyTimeout", "MS", "to receive the next part of a body; then 408"),
    number("minBodyRate", "BYTES/S", "of a body, on average"),
    number("keepAliveTimeout", "MS", "to wait for the next request"),
    number("writeTimeout", "MS", "for the client to read more of a response"),
    number("minWriteRate", "BYTES/S", "that the client reads, on average"),
    number("requestTimeout", "MS", "for a whole request, handler included"),
    number("drainTimeout", "MS", "for running requests after a signal"),
  ],
};

/** The table without headings. */
export const OPTIONS: Option[] = Object.values(GROUPS).flat();

/** `max-body-size` of `maxBodySize`; `""` when the option has no flag. */
export function flagOf({ key, flag }: Option): string {
  return flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The name of a command-line option in errors. */
export function labelOf(key: string): string {
  return `--${flagOf(OPTIONS.find((option) => option.key === key)!)}`;
}

/** The default, `undefined` if there is none. */
export function defaultOf({ key, fallback, example }: Option): unknown {
  const isNumber = (key: string): key is keyof typeof NUMBERS => Object.hasOwn(NUMBERS, key);
  return fallback ?? (example === undefined && isNumber(key) ? NUMBERS[key][0] : undefined);
}

/** dataflake's words, and their opposites. */
const SWITCH: Record<string, boolean> = {
  ...{ "true": true, "1": true, "on": true },
  ...{ "false": false, "0": false, "off": false },
};

/** Its value, `undefined` if it is none of them. */
function readSwitch(raw: unknown): boolean | undefined {
  const text = String(raw).toLowerCase();
  return Object.hasOwn(SWITCH, text) ? SWITCH[text] : undefined;
}

/** An object with only these keys; numbers may be interpolated strings. */
function readStatsd(raw: unknown, keys: string[]): unknown {
  if (typeof raw === "string") {
    try {
      return readStatsd(JSON.parse(raw) ?? undefined, keys);
    } catch {
      return undefined;
    }
  }
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    return undefined;
  }
  const entries = Object.entries(raw).map(([key, value]) => {
    const number = /^(port|interval)$/.test(key) && /^\d+$/.test(value) ? Number(value) : undefined;
    const flag = key === "enable" ? readSwitch(value) : undefined;
    return [key, number ?? flag ?? value] as const;
  });
  return entries.every(([key]) => keys.includes(key)) ? Object.fromEntries(entries) : undefined;
}

/** The server interprets them, except for numbers and switches given as strings. */
function readPeers(raw: unknown): unknown {
  if (typeof raw === "object") {
    return Array.isArray(raw) ? raw : undefined;
  }
  const text = String(raw).toLowerCase();
  if (/^\d+$/.test(text)) {
    return Number(text);
  }
  return readSwitch(text) ?? raw;
}

interface Reader {
  /** What is allowed, for error messages. */
  allowed: (choices: string[]) => string;
  /** The value, `undefined` if it is not allowed. */
  read: (raw: unknown, choices: string[]) => unknown;
}

/** How values from flags and files are read; strings in files may be interpolated. */
const READERS: Record<Kind, Reader> = {
  text: {
    allowed: () => "a text",
    read: (raw) => typeof raw === "string" && raw !== "" ? raw : undefined,
  },
  listen: {
    allowed: () => "PORT, HOST:PORT, [IPV6]:PORT or unix:PATH",
    read: (raw) => parseListen(String(raw)),
  },
  number: {
    allowed: () => "a whole number",
    read: (raw) => /^(\d+|Infinity)$/.test(String(raw)) ? Number(raw) : undefined,
  },
  count: {
    allowed: () => "a whole number or auto",
    read: (raw) => raw === "auto" ? raw : READERS.number.read(raw, []),
  },
  octal: {
    allowed: () => 'an octal number as text, such as "660"',
    read: (raw) => typeof raw === "string" && /^[0-7]+$/.test(raw) ? parseInt(raw, 8) : undefined,
  },
  switch: {
    allowed: () => "true, 1, on, false, 0 or off",
    read: readSwitch,
  },
  log: {
    allowed: (choices) => `true, false, ${choices.join(", ")}`,
    read: (raw, choices) => {
      const flag = readSwitch(raw);
      const format = flag === undefined ? undefined : flag ? "combined" : "off";
      return choices.find((one) => one === raw) ?? format;
    },
  },
  choice: {
    allowed: (choices) => choices.join(", "),
    read: (raw, choices) => choices.find((choice) => choice === raw),
  },
  peers: {
    allowed: () => "addresses, networks, loopback, linklocal, uniquelocal, a number of hops or off",
    read: readPeers,
  },
  statsd: {
    allowed: (keys) => `a JSON object of ${keys.join(", ")}`,
    read: readStatsd,
  },
};

/** Lets the server check a value of its own option and name the error. */
function check({ key }: Option, value: unknown, label: string): void {
  try {
    settingsOf({ [key]: value });
  } catch (error) {
    if (error instanceof ListenError) {
      return; // a system error, to be reported when listening
    }
    const { message } = error as Error;
    const own = `Option ${key}`;
    throw new Failure(
      2,
      message.startsWith(own) ? `${label}${message.slice(own.length)}` : `${label}: ${message}`,
    );
  }
}

/** The value of an option from a flag or a file; `label` names it in errors. */
export function valueOf(option: Option, raw: unknown, label: string): unknown {
  const { kind, choices = [], range: [least, most] = [0, Infinity] } = option;
  const value = READERS[kind].read(raw, choices);
  if (value === undefined) {
    const allowed = READERS[kind].allowed(choices);
    throw new Failure(2, `${label} takes ${allowed}, not ${JSON.stringify(raw)}`);
  }
  if (typeof value === "number" && (value < least || value > most)) {
    throw new Failure(2, `${label} must be a whole number from ${least} to ${most}: ${value}`);
  }
  if (!OWN.includes(option.key as keyof Own)) {
    check(option, value, label);
  }
  return value;
}

/** A port given elsewhere. */
export function portOf(text: string, label: string): number {
  return valueOf(OPTIONS.find(({ key }) => key === "port")!, text, label) as number;
}

/** The options for the server. */
export function serverOptions(values: Values): Options {
  const isServers = ([key]: [string, unknown]) => !OWN.includes(key as keyof Own);
  return Object.fromEntries(Object.entries(values).filter(isServers));
}
