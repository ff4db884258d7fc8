/**
 * Several parts of a file in one body (RFC 9110 section 14.6).
 *
 * @module
 */
import type { OpenFile } from "../../server/file.ts";
import { contentRange, type Range } from "./ranges.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** Bytes per read. */
const BLOCK_SIZE = 65536;

const encoder = new TextEncoder();

/** The source of a multipart/byteranges body. It owns the file, and closes it. */
export class Multipart {
  /** The body's Content-Type. */
  readonly type: string;
  /** The body's length in bytes. */
  readonly length: number;
  readonly #file: OpenFile;
  /** The remaining parts: bytes, or their place in the file. */
  readonly #pieces: (Chunk | Range)[];

  /** All parts have the type `type`. */
  constructor(file: OpenFile, ranges: Range[], type: string) {
    const boundary = crypto.randomUUID();
    this.type = `multipart/byteranges; boundary=${boundary}`;
    this.#file = file;
    this.#pieces = ranges.flatMap((range) => [
      encoder.encode(
        `\r\n--${boundary}\r\nContent-Type: ${type}\r\n` +
          `Content-Range: ${contentRange(range, file.size)}\r\n\r\n`,
      ),
      { ...range },
    ]);
    this.#pieces.push(encoder.encode(`\r\n--${boundary}--\r\n`));
    this.length = this.#pieces.reduce((sum, piece) => sum + sizeOf(piece), 0);
  }

  /** The body: a block is read once the previous one has been consumed. */
  stream(): ReadableStream<Chunk> {
    return new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#file.close(),
    }, { highWaterMark: 0 });
  }

  #pull(controller: ReadableStreamDefaultController<Chunk>): void {
    const piece = this.#pieces[0];
    if (piece === undefined) {
      this.#file.close();
      controller.close();
    } else if (piece instanceof Uint8Array) {
      this.#pieces.shift();
      controller.enqueue(piece);
    } else {
      controller.enqueue(this.#read(piece));
    }
  }

  #read(rest: Range): Chunk {
    const block = this.#file.read(rest.start, Math.min(BLOCK_SIZE, sizeOf(rest)));
    if (block.length === 0) {
      this.#file.close();
      throw new Error(`${this.#file.realPath} was cut short while it was sent`);
    }
    rest.start += block.length;
    if (rest.start >= rest.end) {
      this.#pieces.shift();
    }
    return block;
  }
}

function sizeOf(piece: Chunk | Range): number {
  return piece instanceof Uint8Array ? piece.length : piece.end - piece.start;
}
