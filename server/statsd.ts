/**
 * Where counters are sent, and under which names.
 *
 * @module
 */
import { tools } from "../ffi/library.ts";
import type { Pointer } from "../ffi/symbols.ts";
import { MOST_PORT } from "./addresses.ts";
import { cString, ERROR_SIZE, toCString } from "./c_string.ts";
import { checkKind, refuseUnknown, wholeNumber } from "./checks.ts";

/** Options of the statsd client, as in bjoern. */
export interface StatsdOptions {
  /**
   * Whether anything is sent.
   *
   * @default {true}
   */
  enable?: boolean;
  /**
   * The statsd server's name or address.
   *
   * @default {"127.0.0.1"}
   */
  host?: string;
  /**
   * Its UDP port.
   *
   * @default {8125}
   */
  port?: number;
  /**
   * Prefix of each name, before a dot; `""` for none.
   *
   * @default {"bjoern"}
   */
  ns?: string;
  /** DogStatsD tags: `"env:prod,web"`, or a list of such. */
  tags?: string | readonly string[];
  /**
   * Milliseconds for which counts are collected before being sent; at least 1.
   *
   * @default {1000}
   */
  interval?: number;
}

/** The same, checked and as the library expects it. */
export interface Statsd {
  host: string;
  port: number;
  /** `"ns."` */
  prefix: string;
  /** `"|#tag,tag"` */
  suffix: string;
  interval: number;
}

/** A name and its tags must fit into a datagram. */
const LONGEST = 1200;

const NAMES: (keyof StatsdOptions)[] = ["enable", "host", "port", "ns", "tags", "interval"];

/** Characters with a meaning in statsd. */
const SEPARATORS = { host: "NUL", ns: "blanks and : | @ #", tags: "blanks and | ," };

function text(name: keyof typeof SEPARATORS, value: unknown, forbidden: RegExp): string {
  checkKind(`statsd.${name}`, value, "string");
  const text = value as string;
  if (forbidden.test(text)) {
    throw new TypeError(
      `Option statsd.${name} must be printable ASCII without ${SEPARATORS[name]}: "${text}"`,
    );
  }
  return text;
}

/** Checks the option. Throws a TypeError or RangeError. */
export function statsdOf(options: StatsdOptions | undefined): Statsd | undefined {
  if (options === undefined) {
    return undefined;
  }
  checkKind("statsd", options, "object");
  refuseUnknown(options, NAMES, "statsd.");
  checkKind("statsd.enable", options.enable ?? true, "boolean");
  if (options.enable === false) {
    return undefined;
  }
  const { host = "127.0.0.1", port = 8125, ns = "bjoern", tags = [], interval = 1000 } = options;
  const list = typeof tags === "string" ? tags.split(",").map((tag) => tag.trim()) : tags;
  const named = (Array.isArray(list) ? list : [list])
    .map((tag: unknown) => text("tags", tag, /[|,\s]|[^\x20-\x7e]/))
    .filter((tag) => tag !== "");
  const prefix = text("ns", ns, /[:|@#\s]|[^\x20-\x7e]/).replace(/\.$/, "");
  const statsd = {
    host: text("host", host, /\0/) || "127.0.0.1",
    port: wholeNumber("statsd.port", port, 1, MOST_PORT),
    prefix: prefix === "" ? "" : `${prefix}.`,
    suffix: named.length === 0 ? "" : `|#${named.join(",")}`,
    interval: wholeNumber("statsd.interval", interval, 1, 2 ** 31 - 1),
  };
  if (statsd.prefix.length + statsd.suffix.length > LONGEST) {
    throw new RangeError(`Options statsd.ns and statsd.tags have more than ${LONGEST} characters`);
  }
  return statsd;
}

/** Makes a server send its counters. Throws an Error if the host is unknown. */
export function tell(server: Pointer, statsd: Statsd): void {
  const error = new Uint8Array(ERROR_SIZE);
  const { host, port, prefix, suffix, interval } = statsd;
  const refused = tools().bj_server_statsd(
    server,
    toCString(host),
    port,
    toCString(prefix),
    toCString(suffix),
    interval,
    error,
  );
  if (refused !== 0) {
    throw new Error(`Cannot send to statsd at ${host}:${port}: ${cString(error)}`);
  }
}
