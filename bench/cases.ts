// The cases that are measured.
import { exchanges } from "./exchanges.ts";
import type { Exchange } from "./exchange.ts";
import { events } from "./samples/events.ts";
import { idle } from "./samples/idle.ts";
import { load, type Pressure } from "./samples/load.ts";
import { paced, sparse } from "./samples/paced.ts";
import { footprint, start, still, trickle } from "./samples/still.ts";
import type { Sampler } from "./samples/trial.ts";
import type { Target } from "./targets.ts";

/** A case: one handler, measured on several servers. */
export interface Case {
  name: string;
  /** A short description. */
  title: string;
  /** A module of handlers/. */
  handler: string;
  exchange: Exchange;
  /** Names of the contestants that are measured. */
  contestants: string[];
  sample: Sampler;
  targets: Target[];
  /** Rounds in a full run and in a quick one; the plan's number by default. */
  rounds?: [full: number, quick: number];
  /** Seconds for which servers keep idle connections; each server's own default if unset. */
  idle?: number;
  /** Why it cannot be measured. */
  missing?: string;
}

const pair = ["bjoern-bun", "bjoern-deno", "bun", "deno"];
const withNode = [...pair, "node"];
const all = ["floor", ...withNode];
const floored = ["floor", ...pair];
const noSpin = ["bjoern-bun-no-spin", "bjoern-deno-no-spin"];

const atLeast = (metric: Target["metric"], than: Target["than"], value: number): Target => ({
  metric,
  than,
  atLeast: value,
});
const atMost = (metric: Target["metric"], than: Target["than"], value: number): Target => ({
  metric,
  than,
  atMost: value,
});
const ahead = atLeast("rate", "peer", 1);
const noDearer = atMost("cpu", "peer", 1);

/** A case under full load. */
function loaded(
  name: string,
  title: string,
  handler: keyof typeof exchanges,
  contestants: string[],
  pressure: Pressure,
  targets: Target[],
): Case {
  const exchange = exchanges[handler];
  const module = handler.startsWith("hono") ? "hono" : handler;
  return { name, title, handler: module, exchange, contestants, sample: load(pressure), targets };
}

const alone: Pressure = { connections: 64 };
const pipelined: Pressure = { connections: 64, pipelined: 16 };
const crowd = (connections: number, seconds: number): Pressure => ({ connections, seconds });

const plaintext = (name: string, title: string, pressure: Pressure, targets: Target[]) =>
  loaded(`plaintext-${name}`, `plaintext, ${title}`, "plaintext", all, pressure, targets);

/** A case with 64 connections, and the same with 16 requests pipelined. */
function both(
  handler: keyof typeof exchanges,
  title: string,
  contestants: string[],
  targets: Target[],
  whenPipelined: Target[],
): Case[] {
  const titles = [title, `${title}, pipeline 16`];
  return [
    loaded(`${handler}-64`, titles[0], handler, contestants, alone, targets),
    loaded(`${handler}-pipelined`, titles[1], handler, contestants, pipelined, whenPipelined),
  ];
}

/** A case with 64 connections whose only target is to beat the peers. */
const simple = (handler: keyof typeof exchanges, title: string, contestants = withNode) =>
  loaded(handler, title, handler, contestants, alone, [ahead]);

/** A case of the plaintext handler with a sampler of its own. */
function special(
  name: string,
  title: string,
  contestants: string[],
  sample: Sampler,
  targets: Target[],
  rounds?: [number, number],
): Case {
  const exchange = exchanges.plaintext;
  return { name, title, handler: "plaintext", exchange, contestants, sample, targets, rounds };
}

const fileTargets = [ahead, atMost("cpu", "peer", 0.7)];

/** All cases, in the order of the tables. */
export const cases: Case[] = [
  plaintext("pipelined", "64 connections, pipeline 16", pipelined, [
    atLeast("rate", "peer", 8),
    atMost("cpu", "floor", 1.5),
  ]),
  plaintext("pipelined-4", "64 connections, pipeline 4", { connections: 64, pipelined: 4 }, []),
  plaintext("64", "64 connections", alone, [ahead, atMost("cpu", "floor", 1.15)]),
  plaintext("256", "256 connections", { connections: 256 }, [ahead, atMost("cpu", "floor", 1.15)]),
  plaintext("1", "1 connection", { connections: 1 }, [atMost("p50", "peer", 0.5), noDearer]),
  plaintext("8", "8 connections", { connections: 8 }, [atMost("p50", "peer", 0.8), noDearer]),
  { ...plaintext("1000", "1,000 connections", crowd(1000, 1), []), rounds: [3, 1] },
  { ...plaintext("10000", "10,000 connections", crowd(10_000, 2.5), []), rounds: [1, 1] },
  special("paced", "plaintext, 70 % of the better peer's full load", withNode, paced(0.7), [
    atMost("p99", "peer", 1),
  ]),
  special("sparse", "plaintext, 400 requests/s", [...withNode, ...noSpin], sparse(16, 400), []),

  ...both(
    "promise",
    "handler awaits a resolved promise",
    all,
    // The targets of plaintext, with 10 % of slack.
    [atLeast("rate", "peer", 0.9), atMost("cpu", "floor", 1.15 * 1.1)],
    [atLeast("rate", "peer", 8 * 0.9), atMost("cpu", "floor", 1.5 * 1.1)],
  ),
  simple("macrotask", "handler awaits a macrotask"),

  ...both("json", "JSON of 10 keys", all, [ahead], [atLeast("rate", "peer", 4)]),
  ...both("headers", "12 browser headers, 3 read", all, [ahead], [atLeast("rate", "peer", 4)]),
  ...both("query", "query parameters", all, [ahead], [atLeast("rate", "peer", 4)]),

  simple("echo-json", "POST of 1 KiB JSON, echoed"),
  simple("echo-bytes", "POST of 64 KiB, echoed"),
  {
    ...simple("upload", "upload of 8 MiB, consumed"),
    sample: load({ connections: 8, seconds: 0.5 }),
  },

  simple("text-10k", "string of 10 KiB", all),
  simple("bytes-10k", "bytes of 10 KiB"),
  { ...simple("text-1m", "string of 1 MiB"), sample: load({ connections: 16 }) },
  { ...simple("bytes-1m", "bytes of 1 MiB"), sample: load({ connections: 16 }) },
  {
    ...simple("file-1m", "file of 1 MiB"),
    sample: load({ connections: 16 }),
    targets: fileTargets,
  },
  {
    ...simple("file-100m", "file of 100 MiB"),
    sample: load({ connections: 4, seconds: 1 }),
    rounds: [5, 1],
    targets: fileTargets,
  },

  { ...simple("stream", "stream of 100 chunks"), targets: [ahead, noDearer] },
  {
    ...simple("sse", "1,000 SSE clients, an event per second each"),
    sample: events(1000, 200),
    rounds: [1, 1],
    targets: [noDearer],
  },

  ...both("hono-text", "Hono, text", floored, [ahead], [atLeast("rate", "peer", 3)]),
  ...both("hono-json", "Hono, JSON, parameter, 2 middlewares", pair, [ahead], [
    atLeast("rate", "peer", 3),
  ]),

  {
    ...special("idle-10000", "10,000 idle connections", all, idle(10_000, 2000), [
      atMost("growth", undefined, 1),
      // A difference, as memory may shrink meanwhile, and a ratio to a negative number says
      // nothing.
      { metric: "growth", than: "peer", atMost: 0, difference: true },
      atMost("slowdown", undefined, 1.1),
    ], [1, 1]),
    idle: 60,
  },
  special("start", "start to first answer", withNode, start, [
    { metric: "start", than: "own", atMost: 10, difference: true },
  ], [9, 3]),
  special("footprint", "memory of an idle server", ["bare-bun", "bare-deno", ...all], footprint, [
    { metric: "rss", than: "bare", atMost: 1, difference: true },
    atMost("library", undefined, 100),
  ]),
  special("still", "nothing running", [...all, ...noSpin], still, [
    // The runtimes have timers of their own that fire now and then.
    atMost("idle", undefined, 0.1),
  ], [1, 1]),
  special("trickle", "50 requests/s, each on a new connection", [...all, ...noSpin], trickle, [], [
    1,
    1,
  ]),
];
