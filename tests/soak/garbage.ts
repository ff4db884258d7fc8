// Garbage that is collected in the middle of everything: memory that a server or its runtime frees
// too early is overwritten by someone else.
import { setImmediate } from "node:timers";

const MOST = 40_000; // octets each time

/** Collects garbage, if the runtime exposes its collector. */
export function collect(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

function spill(): unknown[] {
  const size = Math.floor(Math.random() * MOST);
  return [
    new Uint8Array(size).fill(0xdb),
    new ArrayBuffer(size),
    "litter".repeat(size / 6),
    new Response("litter"),
    new Request("http://litter/", { method: "POST", body: "litter" }),
    Array.from({ length: 50 }, (_, i) => ({ [`key${i}`]: String(i) })),
  ];
}

/** When during a request garbage may be collected. */
const moments: ((job: () => void) => unknown)[] = [
  (job) => job(),
  queueMicrotask,
  setImmediate,
  setTimeout,
];

/** Leaves garbage in each request, and collects it in about one of `often`. */
export class Litterer {
  /** The latest garbage, replaced by the next. */
  litter: unknown[] = [];
  readonly #often: number;

  constructor(often: number) {
    this.#often = often;
  }

  /** Runs `handle`, with garbage before and after. */
  around<T>(handle: () => T): T {
    this.#drop();
    const answer = handle();
    this.#drop();
    return answer;
  }

  #drop(): void {
    this.litter = spill();
    if (Math.random() * this.#often < 1) {
      moments[Math.floor(Math.random() * moments.length)](collect);
    }
    this.litter = spill();
  }
}
