// Full load: as many requests as the server can answer.
import { octets } from "../exchange.ts";
import type { Sample } from "../metrics.ts";
import type { Plan } from "../plan.ts";
import type { Program } from "../program.ts";
import { drive, type Driven, faultOf, type Load } from "../wrk.ts";
import { type Entrant, type Sampler, started, type Trial } from "./trial.ts";

/** How hard a server is loaded. */
export interface Pressure {
  connections: number;
  /** Requests sent without waiting for an answer; 1 by default. */
  pipelined?: number;
  /** At least this long, where less would measure mostly the connecting. */
  seconds?: number;
  /** The mean pause of a connection between two requests, in ms. */
  pause?: number;
}

/** The load on a server in a trial. */
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

/** Warms up a runtime's compilers. */
export async function warmUp(load: Load, { warmUp: seconds }: Plan): Promise<void> {
  // Opening more connections would take longer than the warm-up.
  await drive({ ...load, connections: Math.min(load.connections, 64), seconds });
}

/** Measures a server under a load. */
export async function underLoad(program: Program, load: Load): Promise<Sample> {
  const before = program.cpu;
  const { requests, micros, p50, p99 } = well(await drive(load));
  const cpu = (program.cpu - before) / requests;
  return { rate: requests / micros * 1e6, cpu, p50, p99, rss: program.memory };
}

/** A server that is loaded in each round. */
export async function pressed(trial: Trial, pressure: Pressure): Promise<Entrant> {
  const { pipelined = 1 } = pressure;
  const loadOn = ({ port }: Program) => loadOf(trial, pressure, port);
  const program = await started(
    trial,
    pipelined,
    (program) => warmUp(loadOn(program), trial.plan),
  );
  return {
    sample: async () => {
      const { p50, p99, ...others } = await underLoad(program, loadOn(program));
      // wrk times a pipelined batch as a whole and counts it as one answer.
      return pipelined > 1 ? others : { ...others, p50, p99 };
    },
    leave: () => program.stop(),
  };
}

/** A sampler of servers under load. */
export const load = (pressure: Pressure): Sampler => (trial) => pressed(trial, pressure);
