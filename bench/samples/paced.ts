// A fixed number of requests per second, the same for every server.
import { contestant } from "../contestants.ts";
import { pressed } from "./load.ts";
import type { Sampler, Trial } from "./trial.ts";

const CONNECTIONS = 256;

/** Requests per second of the faster of the runtimes' own servers. */
async function peersBest(trial: Trial): Promise<number> {
  let best = 0;
  for (const name of ["bun", "deno"]) {
    const peer = await pressed({ ...trial, contestant: contestant(name) }, { connections: 64 });
    try {
      const { rate = 0 } = await peer.sample();
      best = Math.max(best, rate);
    } finally {
      await peer.leave();
    }
  }
  return best;
}

/**
 * A sampler of servers under `share` of the faster peer's full load. That is measured once, first.
 */
export function paced(share: number): Sampler {
  let full: Promise<number> | undefined;
  return async (trial) => {
    const rate = share * await (full ??= peersBest(trial));
    const pause = CONNECTIONS / rate * 1000;
    return await pressed(trial, { connections: CONNECTIONS, pause, seconds: 1 });
  };
}

/** A sampler of servers that `connections` clients send `rate` requests per second in total. */
export function sparse(connections: number, rate: number): Sampler {
  const pause = connections / rate * 1000;
  return (trial) => pressed(trial, { connections, pause, seconds: 1 });
}
