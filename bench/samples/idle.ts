// The cost of idle connections.
import { setTimeout as pause } from "node:timers/promises";
import { Crowd } from "../crowd.ts";
import { octets } from "../exchange.ts";
import type { Sample } from "../metrics.ts";
import type { Program } from "../program.ts";
import { loadOf, underLoad, warmUp } from "./load.ts";
import { afresh, type Sampler, started, type Trial } from "./trial.ts";

/** Milliseconds for the garbage of the accepts to be collected. */
const SETTLE = 300;

/** A sampler of servers with `full` idle connections, or `quick` in a quick run. */
export function idle(full: number, quick: number): Sampler {
  return afresh(async (trial) => {
    const busy = ({ port }: Program) => loadOf(trial, { connections: 64 }, port);
    // Not for the connections to pay: buffers and compiled code that any traffic brings.
    const program = await started(trial, 1, (program) => warmUp(busy(program), trial.plan));
    try {
      await underLoad(program, busy(program));
      return await amongIdle(trial, program, trial.plan.quick ? quick : full);
    } finally {
      await program.stop();
    }
  });
}

/** Measures the memory of `count` idle connections, and how much they slow an active client. */
async function amongIdle(trial: Trial, program: Program, count: number): Promise<Sample> {
  const one = loadOf(trial, { connections: 1 }, program.port);
  const alone = await underLoad(program, one);
  const crowd = await Crowd.open(program.port, count, octets(trial.exchange), "HTTP/1.1");
  try {
    await pause(SETTLE);
    const rss = program.memory;
    const among = await underLoad(program, one);
    if (crowd.lost > 0) {
      throw new Error(`${crowd.lost} of ${count} idle connections were closed`);
    }
    const growth = (rss - alone.rss!) * 1024 / count;
    return { rss, growth, p50: among.p50, slowdown: among.p50! / alone.p50! };
  } finally {
    crowd.leave();
  }
}
