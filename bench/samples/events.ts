// Server-sent events.
import { setTimeout as pause } from "node:timers/promises";
import { Crowd } from "../crowd.ts";
import { octets } from "../exchange.ts";
import { afresh, commandOf, type Sampler } from "./trial.ts";
import { Program } from "../program.ts";

/**
 * A sampler of servers that send an event per second to `full` clients, or to `quick` clients in a
 * quick run. A "request" of the figures is an event here.
 */
export function events(full: number, quick: number): Sampler {
  return afresh(async (trial) => {
    const { exchange, plan } = trial;
    const program = await Program.start(commandOf(trial));
    const count = plan.quick ? quick : full;
    // Whole periods: all clients connected, and so get their events, at nearly the same time.
    const millis = plan.quick ? 2000 : 4000;
    const mark = String(exchange.answer.body);
    let crowd: Crowd | undefined;
    try {
      crowd = await Crowd.open(program.port, count, octets(exchange), mark);
      // Halfway between two events.
      await pause(1500);
      const [cpu, marks, start] = [program.cpu, crowd.marks, performance.now()];
      await pause(millis);
      const sent = crowd.marks - marks;
      const seconds = (performance.now() - start) / 1000;
      if (crowd.lost > 0 || sent === 0) {
        throw new Error(`${sent} events, ${crowd.lost} of ${count} clients lost`);
      }
      return { rate: sent / seconds, cpu: (program.cpu - cpu) / sent, rss: program.memory };
    } finally {
      crowd?.leave();
      await program.stop();
    }
  });
}
