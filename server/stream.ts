/**
 * Bodies that are written in parts, no faster than the client takes them.
 *
 * @module
 */
import type { Exchange } from "./exchange.ts";
import { HIGH_WATER } from "./records.ts";
import { PART_SIZE, type Writer } from "./writer.ts";

const encoder = new TextEncoder();

/** Sends the head, with the body's length if it is known. */
export type Start = (length: number | undefined) => void;

/** What a stream may carry: bytes, or text, which Bun takes as well. */
function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) {
    return chunk;
  }
  if (typeof chunk === "string") {
    return encoder.encode(chunk);
  }
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) {
    return new Uint8Array(chunk);
  }
  throw new TypeError("A response stream must carry Uint8Array or string chunks");
}

/** Writes all of `bytes` in parts. */
async function writeBytes(writer: Writer, exchange: Exchange, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && !exchange.over; at += PART_SIZE) {
    if (at > 0) {
      await writer.caughtUp(exchange);
    }
    if (!exchange.over) {
      writer.part(exchange, bytes.subarray(at, at + PART_SIZE));
    }
  }
}

/** The rest of a response whose head has told its length. */
export async function pumpBytes(
  writer: Writer,
  exchange: Exchange,
  bytes: Uint8Array,
): Promise<void> {
  await writeBytes(writer, exchange, bytes);
  if (!exchange.over) {
    writer.end(exchange);
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Read = Awaited<ReturnType<Reader["read"]>>;

/** Microtasks that a native body may take to say that it has ended. */
const PATIENCE = 8;

/** The result of a read that settles without waiting for anything outside. */
async function settledSoon(read: Promise<Read>): Promise<Read | undefined> {
  let result: Read | undefined;
  read.then((settled) => result = settled, () => {});
  for (let i = 0; i < PATIENCE && result === undefined; i++) {
    await undefined;
  }
  return result;
}

/**
 * Sends a response whose body is a stream. One that is not known to be a stream may be a single
 * chunk: then its length is told.
 */
export async function pump(
  writer: Writer,
  exchange: Exchange,
  body: ReadableStream<Uint8Array>,
  start: Start,
  length: number | undefined,
  isStream: boolean,
): Promise<void> {
  const reader: Reader = body.getReader();
  exchange.onAbort = (reason) => void reader.cancel(reason).catch(() => {});
  try {
    const first = await reader.read();
    let next = first.done ? undefined : reader.read();
    if (!isStream && length === undefined) {
      const second = next && await settledSoon(next);
      length = first.done ? 0 : second?.done ? toBytes(first.value).length : undefined;
    }
    if (exchange.over) {
      return;
    }
    const chunk = first.done ? undefined : toBytes(first.value);
    start(length);
    await pumpRest(writer, exchange, reader, chunk, next, length);
    next = undefined;
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    exchange.onAbort = undefined;
  }
}

async function pumpRest(
  writer: Writer,
  exchange: Exchange,
  reader: Reader,
  chunk: Uint8Array | undefined,
  next: Promise<Read> | undefined,
  length: number | undefined,
): Promise<void> {
  let written = 0;
  let unreported = 0;
  while (chunk !== undefined && !exchange.over) {
    const rest = length === undefined ? chunk.length : length - written;
    await writeBytes(writer, exchange, chunk.subarray(0, rest));
    if (chunk.length > rest) {
      throw new RangeError(`The response's body is longer than its Content-Length of ${length}`);
    }
    written += chunk.length;
    unreported += chunk.length;
    if (unreported >= HIGH_WATER) {
      unreported = 0;
      await writer.caughtUp(exchange);
    }
    const read: Read = await (next ?? reader.read());
    next = undefined;
    chunk = read.done ? undefined : toBytes(read.value);
  }
  if (exchange.over) {
    return;
  }
  if (length !== undefined && written < length) {
    throw new RangeError(
      `The response's body has ${written} of the ${length} bytes of its Content-Length`,
    );
  }
  writer.end(exchange);
}
