// A well-behaved client, who wants to be served whatever others do.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, octets, open } from "../support/client.ts";
import { pattern } from "../soak/pattern.ts";

/** Its own address, to tell its connections from the others. */
export const ADDRESS = "127.0.0.2";

/** Milliseconds between two requests. */
const PAUSE = 5;

/** The answers, all of them correct, and their times in milliseconds. */
export interface Visits {
  answers: number;
  p50: number;
  p99: number;
  max: number;
}

/** Sends requests on kept and on new connections, and times each answer. */
export class Visitor {
  readonly #port: number;
  #kept: Connection | undefined;
  #times: number[] = [];
  #count = 0;

  constructor(port: number) {
    this.#port = port;
  }

  #open(): Promise<Connection> {
    return open({ port: this.#port, localAddress: ADDRESS });
  }

  async #ask(connection: Connection): Promise<void> {
    const body = pattern(`visit${this.#count++}`, 1000);
    const answer = await connection.write(octets({ body }, "")).answer();
    assert.ok(answer.status === 200 && answer.complete, `the visitor got ${answer.status}`);
    assert.ok(answer.body.equals(body), "the visitor got another's answer");
  }

  async #visit(isNew: boolean): Promise<void> {
    const start = performance.now();
    const connection = isNew ? await this.#open() : this.#kept ??= await this.#open();
    await this.#ask(connection);
    this.#times.push(performance.now() - start);
    if (isNew) {
      connection.close();
    }
  }

  /** Visits until `isOver`. Throws if an answer is missing or wrong. */
  async visit(isOver: () => boolean): Promise<Visits> {
    this.#times = [];
    while (!isOver()) {
      await this.#visit(this.#times.length % 2 === 1);
      await sleep(PAUSE);
    }
    const sorted = this.#times.sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))];
    return { p50: at(.5), p99: at(.99), max: at(1), answers: sorted.length };
  }

  leave(): void {
    this.#kept?.close();
  }
}
