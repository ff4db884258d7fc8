/**
 * A response's body, read only as far as needed to know whether it is complete.
 *
 * @module
 */
import { type Chunk, type Read, type Reader, settledSoon, toBytes } from "../server/chunks.ts";
import { Kind, noRecord, takeRecord } from "../server/response.ts";

type Reads = (Read | Promise<Read>)[];

const encoder = new TextEncoder();

const USED = "The response's body is used already: return a clone() of it";

/** The body of one response, which is then used. */
export class Body {
  /** The whole body, if it is complete. */
  readonly whole: Chunk | undefined;
  readonly #reader: Reader | undefined;
  /** Reads made but not used yet. */
  readonly #reads: Reads;

  private constructor(whole: Chunk | undefined, reader?: Reader, reads: Reads = []) {
    this.whole = whole;
    this.#reader = reader;
    this.#reads = reads;
  }

  /**
   * Takes the body of `response`; `undefined` if it has none. While a server runs it is known what
   * the response was made of; otherwise the start of the body is read.
   */
  static of(response: Response): Body | Promise<Body> | undefined {
    const record = noRecord();
    takeRecord(response, record);
    switch (record.kind) {
      case Kind.EMPTY:
        return undefined;
      case Kind.TEXT:
        return new Body(encoder.encode(record.text));
      case Kind.STATIC:
      case Kind.SHARED:
        return response.bytes().then((bytes) => new Body(bytes));
      case Kind.SENT:
        throw new TypeError(USED);
    }
    if (response.bodyUsed) {
      throw new TypeError(USED);
    }
    const reader: Reader | undefined = response.body?.getReader();
    return record.kind === Kind.STREAM ? new Body(undefined, reader) : reader && Body.#peek(reader);
  }

  static async #peek(reader: Reader): Promise<Body> {
    const reading = reader.read();
    const first = await settledSoon(reading);
    if (first === undefined) {
      return new Body(undefined, reader, [reading]);
    }
    if (first.done) {
      return new Body(new Uint8Array());
    }
    const second = reader.read();
    const isWhole = (await settledSoon(second))?.done === true;
    return new Body(isWhole ? toBytes(first.value) : undefined, reader, [first, second]);
  }

  /**
   * The next chunk of an incomplete body, `undefined` after the last. Never an empty one: encoders
   * produce no output for it that a reader could wait for.
   */
  async next(): Promise<Chunk | undefined> {
    for (;;) {
      const { done, value } = await (this.#reads.shift() ?? this.#reader!.read());
      const chunk = done ? undefined : toBytes(value);
      if (chunk?.length !== 0) {
        return chunk;
      }
    }
  }

  /** Cancels the rest. */
  async cancel(reason: unknown): Promise<void> {
    await this.#reader?.cancel(reason);
  }
}
