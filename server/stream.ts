/**
 * Bodies written in parts, no faster than the client reads them.
 *
 * @module
 */
import { type Chunk, type Read, type Reader, settledSoon, toBytes } from "./chunks.ts";
import { type Exchange, State } from "./exchange.ts";
import type { Encoded } from "./output.ts";
import { HIGH_WATER } from "./records.ts";
import { noTail, PART_SIZE, type Tail, type Writer } from "./writer.ts";

/** Bytes offered to the socket at once: their number must fit into a word. */
const MOST_OFFERED = 1 << 30;

const EMPTY = new Uint8Array();

/** Sends the head, with the body's length if known; `whole` is the body if known. */
export type Start = (length: number | undefined, whole?: Uint8Array) => void;

/** Writes all of `bytes` in parts; a single part is written synchronously, returning nothing. */
function write(
  writer: Writer,
  exchange: Exchange,
  bytes: Uint8Array,
  tail: Tail,
): Promise<void> | undefined {
  if (bytes.length > PART_SIZE) {
    return writeParts(writer, exchange, bytes, tail);
  }
  if (bytes.length > 0) {
    writer.part(exchange, bytes, tail);
  }
}

async function writeParts(
  writer: Writer,
  exchange: Exchange,
  bytes: Uint8Array,
  tail: Tail,
): Promise<void> {
  for (let at = 0; at < bytes.length && !exchange.over; at += PART_SIZE) {
    if (at > 0) {
      await writer.caughtUp(exchange);
    }
    if (!exchange.over) {
      writer.part(exchange, bytes.subarray(at, at + PART_SIZE), tail);
    }
  }
}

function finish(exchange: Exchange): void {
  if (!exchange.over) {
    exchange.finish();
  }
}

/** Sends bytes from `at` on, as far as the socket takes them. Returns where it stopped. */
function sendSome(writer: Writer, exchange: Exchange, bytes: Uint8Array, at: number): number {
  const end = at + writer.direct(exchange, bytes.subarray(at, at + MOST_OFFERED));
  return end - at === MOST_OFFERED ? sendSome(writer, exchange, bytes, end) : end;
}

/** Sends bytes from `at` on that the socket has not taken at once. */
async function sendRest(
  writer: Writer,
  exchange: Exchange,
  bytes: Uint8Array,
  at: number,
): Promise<void> {
  const { length } = bytes;
  while (at < length) {
    await new Promise<void>((drained) => exchange.onDrain = drained);
    if (exchange.over) {
      return;
    }
    if (bytes.length < length) {
      throw new TypeError("The response's bytes were transferred before they were sent");
    }
    at = sendSome(writer, exchange, bytes, at);
  }
}

/**
 * The rest of a response with the body `bytes`. Its head was written with its length and
 * `WriteFlag.DIRECT`. If this returns nothing, everything has been sent.
 */
export function sendDirect(
  writer: Writer,
  exchange: Exchange,
  bytes: Uint8Array,
): Promise<void> | undefined {
  const sent = sendSome(writer, exchange, bytes, 0);
  if (sent < bytes.length) {
    return sendRest(writer, exchange, bytes, sent).then(() => finish(exchange));
  }
  finish(exchange);
}

/** The rest of such a response with a text, which is encoded on the fly. */
export async function pumpText(
  writer: Writer,
  exchange: Exchange,
  text: string,
  first: Encoded,
): Promise<void> {
  let { read, bytes } = first;
  for (let at = read; !exchange.over; at += read) {
    const taken = writer.direct(exchange, bytes);
    if (taken < bytes.length) {
      await sendRest(writer, exchange, bytes.slice(taken), 0);
    }
    if (at === text.length) {
      break;
    }
    ({ read, bytes } = writer.encode(text.slice(at)));
  }
  finish(exchange);
}

/** Milliseconds that a head waits for the first chunk: a stream that fails at once gets 500. */
const HEAD_PATIENCE = 10;

/** Reads the first chunk; calls `late` if it takes so long that the head should not wait. */
async function firstRead(reader: Reader, late: () => void): Promise<Read> {
  const reading = reader.read();
  const soon = await settledSoon(reading);
  if (soon !== undefined) {
    return soon;
  }
  const { promise, resolve, reject } = Promise.withResolvers<Read>();
  const timer = setTimeout(() => {
    try {
      late();
    } catch (error) {
      reject(error); // an invalid head
    }
  }, HEAD_PATIENCE);
  reading.then(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Requests the chunk after the first one. */
function readNext(reader: Reader, first: Read): Promise<Read> | undefined {
  const next = first.done ? undefined : reader.read();
  next?.catch(() => {}); // handled when it is its turn
  return next;
}

/** Whether there is only a single chunk; unknown if the next one takes longer. */
async function isAll(first: Read, next: Promise<Read> | undefined): Promise<boolean> {
  return first.done || (await settledSoon(next!))?.done === true;
}

/**
 * Sends a response whose body is a stream. The head is sent with the first chunk, or before it if
 * that takes longer. A body not known to be a stream may be a single chunk: then its
 * length is sent.
 */
export async function pump(
  writer: Writer,
  exchange: Exchange,
  body: ReadableStream<Chunk>,
  start: Start,
  length: number | undefined,
  isStream: boolean,
): Promise<void> {
  const reader: Reader = body.getReader();
  exchange.onAbort = (reason) => void reader.cancel(reason).catch(() => {});
  try {
    const first = await firstRead(reader, () => exchange.state === State.OPEN && start(length));
    const next = readNext(reader, first);
    if (exchange.state === State.OPEN) {
      const chunk = first.done ? EMPTY : toBytes(first.value);
      const tells = isStream || length !== undefined || !await isAll(first, next);
      if (exchange.state === State.OPEN) {
        length ??= tells ? undefined : chunk.length;
        start(length, tells ? undefined : chunk);
      }
    }
    await pumpRest(writer, exchange, reader, first, next, length);
  } catch (error) {
    reader.cancel(error).catch(() => {}); // may take as long as the handler likes
    throw error;
  } finally {
    exchange.onAbort = undefined;
  }
}

/** Answers HEAD with the fields of GET: the length, if there is only a single chunk. */
export async function pumpHead(
  writer: Writer,
  exchange: Exchange,
  body: ReadableStream<Chunk>,
  start: Start,
): Promise<void> {
  const reader: Reader = body.getReader();
  const drop = (reason?: unknown) => reader.cancel(reason).catch(() => {});
  const tell: Start = (length, whole) => {
    if (exchange.state === State.OPEN) {
      start(length, whole);
      writer.end(exchange);
    }
  };
  exchange.onAbort = (reason) => void drop(reason);
  try {
    const first = await firstRead(reader, () => {
      tell(undefined);
      void drop();
    });
    const whole = first.done ? EMPTY : toBytes(first.value);
    await isAll(first, readNext(reader, first)) ? tell(whole.length, whole) : tell(undefined);
  } finally {
    exchange.onAbort = undefined;
    await drop();
  }
}

async function pumpRest(
  writer: Writer,
  exchange: Exchange,
  reader: Reader,
  first: Read,
  next: Promise<Read> | undefined,
  length: number | undefined,
): Promise<void> {
  const tail = noTail();
  let written = 0;
  let unreported = 0;
  for (let read = first; !read.done && !exchange.over;) {
    const chunk = toBytes(read.value);
    const isTooLong = length !== undefined && written + chunk.length > length;
    const writing = write(
      writer,
      exchange,
      isTooLong ? chunk.subarray(0, length - written) : chunk,
      tail,
    );
    if (writing !== undefined) {
      await writing;
    }
    if (isTooLong) {
      throw new RangeError(`The response's body is longer than its Content-Length of ${length}`);
    }
    written += chunk.length;
    unreported += chunk.length;
    if (unreported >= HIGH_WATER) {
      unreported = 0;
      await writer.caughtUp(exchange);
    }
    read = await (next ?? reader.read());
    next = undefined;
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
