/**
 * Options: defaults, and checks that say what is wrong.
 *
 * @module
 */
import { ARENA_SIZE, EVENT_SLOTS, FIELD_SLOTS, OUTPUT_SIZE } from "./memory.ts";
import { OPTIONS } from "./records.ts";
import type { Options } from "./types.ts";

/** `listen(2)`'s backlog, as in bjoern. */
export const DEFAULT_LISTEN_BACKLOG = 1024;

const MOST = 2 ** 31 - 1;

/** Numeric options: default, least, most. */
const NUMBERS = {
  port: [8000, 0, 65535],
  listenBacklog: [DEFAULT_LISTEN_BACKLOG, 1, MOST],
  mode: [0, 0, 0o7777],
  spin: [50, 0, 1_000_000],
  maxHeadSize: [16384, 64, 65535],
  maxTargetSize: [8192, 1, 65535],
  maxFields: [100, 1, 1000],
  maxBodySize: [16 * 1024 * 1024, 0, Number.MAX_SAFE_INTEGER],
  maxConnections: [0, 0, MOST],
  maxRequests: [0, 0, MOST],
  maxPipelined: [64, 1, 1024],
  headTimeout: [10_000, 0, MOST],
  bodyTimeout: [30_000, 0, MOST],
  keepAliveTimeout: [5_000, 0, MOST],
  writeTimeout: [30_000, 0, MOST],
} as const satisfies Record<string, [fallback: number, least: number, most: number]>;

/** Options with every number filled in. */
export type Settings = Options & Required<Pick<Options, keyof typeof NUMBERS>> & { host: string };

function number(options: Options, name: keyof typeof NUMBERS): number {
  const [fallback, least, most] = NUMBERS[name];
  const value = options[name] ?? fallback;
  if (name === "maxBodySize" && value === Infinity) {
    return most;
  }
  if (typeof value !== "number") {
    throw new TypeError(`Option ${name} must be a number, not ${typeof value}`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(
      `Option ${name} must be a whole number from ${least} to ${most}: ${value}`,
    );
  }
  return value;
}

/** Checks options and fills in the defaults. Throws a TypeError or RangeError. */
export function settingsOf(options: Options): Settings {
  const host = options.host ?? "127.0.0.1";
  if (typeof host !== "string") {
    throw new TypeError(`Option host must be a string, not ${typeof host}`);
  }
  if (host.includes("\0")) {
    throw new TypeError("Option host must not contain NUL");
  }
  if (options.onError !== undefined && typeof options.onError !== "function") {
    throw new TypeError(`Option onError must be a function, not ${typeof options.onError}`);
  }
  const settings: Options = { ...options, host };
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    settings[name] = number(options, name);
  }
  return settings as Settings;
}

/** A `bj_options` record. */
export function toRecord(settings: Settings): Uint32Array {
  const members: Record<typeof OPTIONS[number], number> = {
    arena_size: ARENA_SIZE,
    field_slots: FIELD_SLOTS,
    event_slots: EVENT_SLOTS,
    output_size: OUTPUT_SIZE,
    max_head_size: settings.maxHeadSize,
    max_target_size: settings.maxTargetSize,
    max_fields: settings.maxFields,
    max_body_low: settings.maxBodySize % 2 ** 32,
    max_body_high: Math.floor(settings.maxBodySize / 2 ** 32),
    max_connections: settings.maxConnections,
    max_requests: settings.maxRequests,
    max_pipelined: settings.maxPipelined,
    head_timeout: settings.headTimeout,
    body_timeout: settings.bodyTimeout,
    idle_timeout: settings.keepAliveTimeout,
    write_timeout: settings.writeTimeout,
  };
  return Uint32Array.from(OPTIONS, (name) => members[name]);
}
