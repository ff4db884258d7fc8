import { parseArgs } from "node:util";

/** What is measured, and for how long. */
export interface Plan {
  /** Runs the cases whose names begin with one of these; all if empty. */
  names: string[];
  /** Whether to trade precision for speed. */
  quick: boolean;
  /** Rounds: each contestant is measured once in each. */
  rounds: number;
  /** Seconds that a contestant is measured for in a round. */
  seconds: number;
  /** Seconds of load before the first round, for the runtime's compilers. */
  warmUp: number;
  /** Minutes after which nothing new is started. */
  minutes: number;
  /** Names of the only contestants to measure; all if empty. */
  only: string[];
}

/** What `--help` prints. */
export const help = `npm run bench -- [options] [CASE...]

Runs the cases whose names begin with CASE, by default all, and writes bench/results/.

  --quick        one short round without node:http, in less than three minutes
  --rounds N     turns of each contestant (7)
  --seconds S    length of a turn (0.3)
  --only NAME    only this contestant; may be repeated
  --list         print the cases and contestants
  --help         print this`;

const quick = { rounds: 1, seconds: 0.25, warmUp: 0.12, minutes: 2.6 };
const full = { rounds: 7, seconds: 0.3, warmUp: 1, minutes: 20 };

function positive(text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!(value > 0)) {
    throw new TypeError(`Expected a number above 0: ${text}`);
  }
  return value;
}

/** Parses the arguments. Throws a TypeError for unknown ones. */
export function planOf(args: string[]): Plan & { list: boolean; help: boolean } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string", multiple: true, default: [] },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const usual = values.quick ? quick : full;
  const rounds = positive(values.rounds, usual.rounds);
  const seconds = positive(values.seconds, usual.seconds);
  const { quick: isQuick, only, list, help } = values;
  // Longer measurements than usual extend the time limit.
  const more = Math.max(1, rounds * seconds / (usual.rounds * usual.seconds));
  return {
    names: positionals,
    quick: isQuick,
    rounds: Math.ceil(rounds),
    seconds,
    warmUp: usual.warmUp,
    minutes: usual.minutes * more,
    only,
    list,
    help,
  };
}
