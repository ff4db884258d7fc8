/**
 * The one table of options: the command line, its help, configuration files and what `bjoern init`
 * writes are all made of it. An option of the server is one more line here.
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

/** Options that the command line turns into something else before the server sees them. */
interface Own extends Ways {
  /** How many processes serve; `"auto"` for as many as there are processors. */
  workers?: number | "auto";
  /** After how many requests one of them is replaced. */
  maxRequests?: number;
  /** As the access log has it. */
  accessLog?: Exclude<LogOptions["format"], (...args: never) => unknown>;
}

const OWN: (keyof Own)[] = ["uds", "fd", "listen", "workers", "maxRequests", "accessLog"];

/** Options by their keys. */
export interface Values extends Omit<Options, "host">, Own {
  /** As the server's, but for a descriptor's number: `"fd:3"`. */
  host?: string;
}

/** What a value may be: {@linkcode READERS}. */
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
  /** What its value may be. */
  kind: Kind;
  /** What `--help` calls the value; it tells the unit too. */
  value: string;
  /** What it is for. */
  text: string;
  /** The flag, unless it is the key with hyphens; `""` when only files have it. */
  flag?: string;
  /** The flag in one letter. */
  short?: string;
  /** The default, unless the server knows it. */
  fallback?: unknown;
  /** A value to show where there is no default. */
  example?: unknown;
  /** Least and most, unless the server knows them. */
  range?: [least: number, most: number];
  /** What may be chosen. */
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
    number("port", "PORT", "0 takes a free one", { short: "p" }),
    rows("listen")("listen", "", "instead of host and port", { flag: "", example: "0.0.0.0:80" }),
    text("uds", "PATH", "Unix socket, @NAME for an abstract one", { example: "/run/app.sock" }),
    number("fd", "N", "inherited listening socket", { range: [0, MOST], example: 3 }),
    rows("octal")("mode", "MODE", "permissions of the Unix socket", { example: "660" }),
    flag("reusePort", "", "share the port with other processes", { fallback: false }),
    number("listenBacklog", "N", "connections that wait to be accepted", { flag: "backlog" }),
  ],
  "Process": [
    rows("count")("workers", "N", "processes that serve; auto: one a processor", {
      range: [1, 1024],
      example: "auto",
    }),
    number("maxRequests", "N", "of a worker before it is replaced", {
      range: [0, MOST],
      fallback: 0,
    }),
    rows("log")("accessLog", "", "common, combined or json", { choices: FORMATS, fallback: "off" }),
    rows("statsd")("statsd", "JSON", "statsd server to tell the counts", {
      choices: ["enable", "host", "port", "ns", "tags", "interval"],
      example: { host: "127.0.0.1", port: 8125, ns: "bjoern" },
    }),
    rows("choice")("backend", "NAME", Object.keys(Backend).join(", "), {
      choices: Object.keys(Backend),
      fallback: "auto",
    }),
    number("spin", "US", "of looking for work before the thread sleeps"),
    flag("patchGlobals", "", "subclass the global Request and Response", { fallback: true }),
  ],
  "Behind a proxy": [
    rows("peers")("trustProxy", "PEERS", "whose X-Forwarded-* and Forwarded count", {
      fallback: false,
    }),
    rows("peers")("proxyProtocol", "PEERS", "who begin with a PROXY header; on: all", {
      fallback: false,
    }),
  ],
  "Limits": [
    number("maxHeadSize", "BYTES", "request line and fields; then 431"),
    number("maxTargetSize", "BYTES", "request-target; then 414"),
    number("maxFields", "N", "fields of a request; then 431"),
    number("maxBodySize", "BYTES", "body, Infinity for any; then 413"),
    number("maxConnections", "N", "open connections, 0 for any"),
    number("maxRequestsPerConnection", "N", "then it is closed, 0 for any"),
    number("maxPipelined", "N", "requests of a connection in flight"),
    number("maxBufferedSize", "BYTES", "that wait, in all connections, 0 for any"),
  ],
  "Timeouts, 0 for none": [
    flag("keepAlive", "", "keep connections for more requests", { fallback: true }),
    number("headTimeout", "MS", "for a request's head; then 408"),
    number("bodyTimeout", "MS", "for the next part of a body; then 408"),
    number("minBodyRate", "BYTES/S", "of a body, on average"),
    number("keepAliveTimeout", "MS", "for the next request"),
    number("writeTimeout", "MS", "for the client to take more"),
    number("minWriteRate", "BYTES/S", "that the client takes, on average"),
    number("requestTimeout", "MS", "for all of a request, the handler too"),
    number("drainTimeout", "MS", "for running requests once a signal has come"),
  ],
};

/** The table without headings. */
export const OPTIONS: Option[] = Object.values(GROUPS).flat();

/** `max-body-size` of `maxBodySize`; `""` when the option has no flag. */
export function flagOf({ key, flag }: Option): string {
  return flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What errors call an option of the command line. */
export function labelOf(key: string): string {
  return `--${flagOf(OPTIONS.find((option) => option.key === key)!)}`;
}

/** The default, `undefined` when there is none. */
export function defaultOf({ key, fallback, example }: Option): unknown {
  const isNumber = (key: string): key is keyof typeof NUMBERS => Object.hasOwn(NUMBERS, key);
  return fallback ?? (example === undefined && isNumber(key) ? NUMBERS[key][0] : undefined);
}

/** dataflake's words, and their contraries. */
const SWITCH: Record<string, boolean> = {
  ...{ "true": true, "1": true, "on": true },
  ...{ "false": false, "0": false, "off": false },
};

/** What it says, `undefined` when it is none of them. */
function readSwitch(raw: unknown): boolean | undefined {
  const text = String(raw).toLowerCase();
  return Object.hasOwn(SWITCH, text) ? SWITCH[text] : undefined;
}

/** An object of no other keys than these; its numbers may be interpolated texts. */
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

/** The server knows what they mean, but for numbers and switches that come as texts. */
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
  /** What is allowed, for errors. */
  allowed: (choices: string[]) => string;
  /** The value, `undefined` when it is not allowed. */
  read: (raw: unknown, choices: string[]) => unknown;
}

/** What flags and files, whose texts may be interpolated, are understood to say. */
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

/** Has the server look at a value of its own: it knows what is allowed, and says so. */
function check({ key }: Option, value: unknown, label: string): void {
  try {
    settingsOf({ [key]: value });
  } catch (error) {
    if (error instanceof ListenError) {
      return; // the system's fault, to be said when it comes to listening
    }
    const { message } = error as Error;
    const own = `Option ${key}`;
    throw new Failure(
      2,
      message.startsWith(own) ? `${label}${message.slice(own.length)}` : `${label}: ${message}`,
    );
  }
}

/** The value of an option, of what a flag or a file says; `label` is what errors call it. */
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

/** A port that is said elsewhere. */
export function portOf(text: string, label: string): number {
  return valueOf(OPTIONS.find(({ key }) => key === "port")!, text, label) as number;
}

/** What is left for the server. */
export function serverOptions(values: Values): Options {
  const isServers = ([key]: [string, unknown]) => !OWN.includes(key as keyof Own);
  return Object.fromEntries(Object.entries(values).filter(isServers));
}
