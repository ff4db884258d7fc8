// What connections cost that are kept and do nothing.
import { setTimeout as pause } from "node:timers/promises";
import { Crowd } from "../crowd.ts";
import { octets } from "../exchange.ts";
import { loadOf, underLoad } from "./load.ts";
import { type Sampler, serving } from "./trial.ts";

/** For what an accept leaves behind to be collected. */
const SETTLE = 300;

/** A sampler of servers with `full` idle connections, or `quick` in a quick run. */
export function idle(full: number, quick: number): Sampler {
  return (trial) =>
    serving(trial, 1, async (program) => {
      const count = trial.plan.quick ? quick : full;
      const { port } = program;
      const { warmUp } = trial.plan;
      // Buffers and compilers that any traffic brings are none of the connections' doing.
      await underLoad(program, loadOf(trial, { connections: 64 }, port), warmUp);
      const alone = await underLoad(program, loadOf(trial, { connections: 1 }, port), warmUp);
      const crowd = await Crowd.open(port, count, octets(trial.exchange), "HTTP/1.1");
      try {
        await pause(SETTLE);
        const rss = program.memory;
        const among = await underLoad(program, loadOf(trial, { connections: 1 }, port), warmUp);
        if (crowd.lost > 0) {
          throw new Error(`${crowd.lost} of ${count} idle connections were closed`);
        }
        const growth = (rss - alone.rss!) * 1024 / count;
        return { rss, growth, p50: among.p50, slowdown: among.p50! / alone.p50! };
      } finally {
        crowd.leave();
      }
    });
}
