/**
 * A response's body, read no further than is needed to know whether it is here as a whole.
 *
 * @module
 */
import {
  Kind,
  NO_BYTES,
  Preset,
  type Recorded,
  Response as RecordedResponse,
} from "../server/response.ts";

type Chunk = Uint8Array<ArrayBuffer>;
type Reader = ReadableStreamDefaultReader<Chunk>;
type Read = Awaited<ReturnType<Reader["read"]>>;
type Reads = (Read | Promise<Read>)[];

/** Microtasks that a body which is here may take to say that it has ended. */
const PATIENCE = 8;

const encoder = new TextEncoder();

/** A stream may carry text too where the runtime lets it. */
function toBytes(chunk: unknown): Chunk {
  if (typeof chunk === "string") {
    return encoder.encode(chunk);
  }
  if (chunk instanceof Uint8Array) {
    return chunk as Chunk;
  }
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) {
    return new Uint8Array(chunk);
  }
  throw new TypeError("A response stream must carry Uint8Array or string chunks");
}

/** What a read gives that waits for nothing outside. */
async function settledSoon(read: Promise<Read>): Promise<Read | undefined> {
  let result: Read | undefined;
  read.then((settled) => result = settled, () => {});
  for (let i = 0; i < PATIENCE && result === undefined; i++) {
    await undefined;
  }
  return result;
}

const USED = "The response's body is used already: return a clone() of it";

/** The body of one response, which is used up by it. */
export class Body {
  /** The whole body, if it is here. */
  readonly whole: Chunk | undefined;
  readonly #reader: Reader | undefined;
  /** Reads that are made and not used yet. */
  readonly #reads: Reads;

  private constructor(whole: Chunk | undefined, reader?: Reader, reads: Reads = []) {
    this.whole = whole;
    this.#reader = reader;
    this.#reads = reads;
  }

  /**
   * Takes the body of `response`; `undefined` if it has none. What the response was made of is
   * known while a server runs; of others the first chunk is waited for.
   */
  static of(response: Response): Body | Promise<Body> | undefined {
    const record: Recorded = { kind: Kind.UNKNOWN, text: "", bytes: NO_BYTES, preset: Preset.NONE };
    RecordedResponse.take(response, record);
    switch (record.kind) {
      case Kind.EMPTY:
        return undefined;
      case Kind.TEXT:
        return new Body(encoder.encode(record.text));
      case Kind.STATIC:
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
    const first = await reader.read();
    if (first.done) {
      return new Body(new Uint8Array());
    }
    const second = reader.read();
    const isWhole = (await settledSoon(second))?.done === true;
    return new Body(isWhole ? toBytes(first.value) : undefined, reader, [first, second]);
  }

  /**
   * The next chunk of a body that is not whole, `undefined` after the last. Never an empty one: no
   * coder makes anything of it that its reader could wait for.
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

  /** Nobody reads on. */
  async cancel(reason: unknown): Promise<void> {
    await this.#reader?.cancel(reason);
  }
}
