// As many requests as the server can answer.
import { octets } from "../exchange.ts";
import type { Sample } from "../metrics.ts";
import type { Program } from "../program.ts";
import { drive, type Driven, faultOf, type Load } from "../wrk.ts";
import { type Sampler, serving, type Trial } from "./trial.ts";

/** How hard a server is driven. */
export interface Pressure {
  connections: number;
  /** Requests that are sent without waiting for an answer; by default 1. */
  pipelined?: number;
  /** At least so long, where less would measure how connections come about. */
  seconds?: number;
  /** The mean pause of a connection between two requests, in ms. */
  pause?: number;
}

/** The load that a pressure is in a trial. */
export function loadOf({ exchange, plan }: Trial, pressure: Pressure, port: number): Load {
  const { connections, pipelined, seconds = 0, pause } = pressure;
  return {
    port,
    connections,
    pause,
    octets: octets(exchange, pipelined),
    seconds: Math.max(plan.seconds, seconds),
  };
}

function well(driven: Driven): Driven {
  const fault = faultOf(driven);
  if (fault !== undefined) {
    throw new Error(`Under load: ${fault}`);
  }
  return driven;
}

/** Warms a server up, then measures what it does under a load. */
export async function underLoad(program: Program, load: Load, warmUp: number): Promise<Sample> {
  // More connections take longer to come about than this lasts.
  await drive({ ...load, connections: Math.min(load.connections, 64), seconds: warmUp });
  const before = program.cpu;
  const { requests, micros, p50, p99 } = well(await drive(load));
  const cpu = (program.cpu - before) / requests;
  return { rate: requests / micros * 1e6, cpu, p50, p99, rss: program.memory };
}

/** A sampler of servers under pressure. */
export function load(pressure: Pressure): Sampler {
  const { pipelined = 1 } = pressure;
  return (trial) =>
    serving(trial, pipelined, async (program) => {
      const load = loadOf(trial, pressure, program.port);
      const { p50, p99, ...others } = await underLoad(program, load, trial.plan.warmUp);
      // Of pipelined requests wrk times the whole bundle and counts it as one answer.
      return pipelined > 1 ? others : { ...others, p50, p99 };
    });
}
