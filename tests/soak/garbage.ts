// Garbage, and its collection in the middle of everything: what a server or its runtime has let go
// too early is overwritten by somebody else.
import { setImmediate } from "node:timers";

const MOST = 40_000; // octets at a time

/** Collects it. Does nothing where the runtime was not told to show its collector. */
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

/** Where in the course of a request collection may come. */
const moments: ((job: () => void) => unknown)[] = [
  (job) => job(),
  queueMicrotask,
  setImmediate,
  setTimeout,
];

/** Leaves garbage in each request, and collects it once in about `often` of them. */
export class Litterer {
  /** The latest, which is thrown away for the next. */
  litter: unknown[] = [];
  readonly #often: number;

  constructor(often: number) {
    this.#often = often;
  }

  /** `handle` between garbage that comes before and after. */
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
