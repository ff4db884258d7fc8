// The same moderate number of requests per second for everyone.
import { contestant } from "../contestants.ts";
import { load, loadOf, underLoad } from "./load.ts";
import { type Sampler, serving, type Trial } from "./trial.ts";

const CONNECTIONS = 256;

/** Requests per second of the better of the runtimes' own servers. */
async function peersBest(trial: Trial): Promise<number> {
  const full = load({ connections: 64 });
  let best = 0;
  for (const name of ["bun", "deno"]) {
    const { rate = 0 } = await full({ ...trial, contestant: contestant(name) });
    best = Math.max(best, rate);
  }
  return best;
}

/**
 * A sampler of servers that have `share` of the load under which the better peer is full. The peers
 * are measured first, once.
 */
export function paced(share: number): Sampler {
  let full: Promise<number> | undefined;
  return async (trial) => {
    const rate = share * await (full ??= peersBest(trial));
    const pressure = { connections: CONNECTIONS, pause: CONNECTIONS / rate * 1000, seconds: 1 };
    return await serving(
      trial,
      1,
      (program) => underLoad(program, loadOf(trial, pressure, program.port), trial.plan.warmUp),
    );
  };
}
