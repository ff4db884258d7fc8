// Clients that keep a server busy without a pause, and count its answers.
import assert from "node:assert/strict";
import { type Answer, type Connection, octets, open, type Target, within } from "./client.ts";

const DEPTH = 8; // requests in flight on each connection

/** The progress of one connection's requests. */
interface Course {
  sent: string[];
  /** The version in the latest answer. */
  version: number;
  isOver: boolean;
}

/** Clients that send requests until they are stopped or the server closes. */
export class Pressure {
  /** Complete answers. */
  answers = 0;
  /** Answers from the second version. */
  renewed = 0;
  /** Requests still without an answer when their connection ended. */
  unanswered = 0;
  /** Faults: answers that are cut, or belong to another request. */
  readonly faults: unknown[] = [];
  readonly #target: Target;
  readonly #clients: Promise<void>[];
  #count = 0;
  #isStopped = false;

  constructor(target: Target, clients: number) {
    this.#target = target;
    this.#clients = Array.from({ length: clients }, () => this.#ask());
  }

  #next(course: Course): Uint8Array {
    const text = `text${this.#count++}`;
    course.sent.push(text);
    const kind = ["now", "now", "late", "stream", "echo"][this.#count % 5];
    const body = kind === "echo" ? text : undefined;
    return octets({ target: `/${kind}/${text}`, body }, "");
  }

  #take(course: Course, answer: Answer): void {
    const [text, version] = answer.text.split(" ");
    assert.ok(answer.complete, "an answer is cut");
    assert.equal(text, course.sent.shift());
    assert.ok(Number(version) >= course.version, "an old version after a new one");
    course.version = Number(version);
    course.isOver = answer.get("connection") === "close";
    this.answers++;
    this.renewed += version === "2" ? 1 : 0;
  }

  /** Keeps `DEPTH` requests in flight; the server answers those it has read. */
  async #ask(): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await open(this.#target);
      const course: Course = { sent: [], version: 1, isOver: false };
      for (let i = 0; i < DEPTH; i++) {
        connection.write(this.#next(course));
      }
      while (course.sent.length > 0 && !course.isOver && await connection.arrival()) {
        this.#take(course, await connection.answer());
        if (!this.#isStopped && !course.isOver) {
          connection.write(this.#next(course));
        }
      }
      this.unanswered += course.sent.length;
      if (course.isOver) {
        await within(connection.closed, "the announced end");
      }
    } catch (error) {
      this.faults.push(error);
    } finally {
      connection?.close();
    }
  }

  /** Waits until all clients are done. */
  async over(): Promise<void> {
    await within(Promise.all(this.#clients), "the clients");
  }

  /** Sends no more requests. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.over();
  }
}
