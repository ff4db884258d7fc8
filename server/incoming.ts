/**
 * The source of the body of an exchange's request.
 *
 * @module
 */
import type { Source } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { EventFlag } from "./records.ts";

/** The exchange's connection; commands without effect are not written. */
export class Incoming implements Source {
  readonly #exchange: Exchange;
  #expects: boolean;
  #isRest = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#expects = (exchange.flags & EventFlag.EXPECTS) !== 0;
  }

  get length(): number | undefined {
    const length = this.#exchange.field("content-length");
    return length === null ? undefined : Number(length);
  }

  consume(taken: number, rest: boolean): void {
    if (taken > 0 || this.#expects || rest !== this.#isRest) {
      this.#expects = false;
      this.#isRest = rest;
      this.#exchange.host.consume(this.#exchange, taken, rest);
    }
  }

  read(to: Uint8Array): number {
    return this.#exchange.host.read(this.#exchange, to);
  }
}
