/**
 * Chunks of streams, and when they arrive.
 *
 * @module
 */

/** A chunk to be sent. */
export type Chunk = Uint8Array<ArrayBuffer>;
export type Reader = ReadableStreamDefaultReader<Chunk>;
export type Read = Awaited<ReturnType<Reader["read"]>>;

const encoder = new TextEncoder();

/** The bytes of a chunk, which may also be text, as in Bun. Throws a TypeError. */
export function toBytes(chunk: unknown): Chunk {
  if (chunk instanceof Uint8Array) {
    return chunk as Chunk;
  }
  if (typeof chunk === "string") {
    return encoder.encode(chunk);
  }
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) {
    return new Uint8Array(chunk);
  }
  throw new TypeError("A response stream must carry Uint8Array or string chunks");
}

/** Microtasks that a stream may take to deliver available data. */
const PATIENCE = 8;

/** The result of a read that settles without waiting for I/O. */
export async function settledSoon(read: Promise<Read>): Promise<Read | undefined> {
  let settled = false;
  const settle = () => settled = true;
  read.then(settle, settle);
  for (let i = 0; i < PATIENCE && !settled; i++) {
    await undefined;
  }
  return settled ? await read : undefined;
}
