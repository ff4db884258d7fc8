/**
 * An app's result as bytes.
 *
 * @module
 */
import { inspect } from "node:util";

/** A part of a body: text is sent as UTF-8. */
export type Item = string | Uint8Array;

/** A body: one part, or several, which need not be ready yet. */
export type Body = Item | Iterable<Item> | AsyncIterable<Item>;

/** Where an app writes errors; `process.stderr` is one. */
export interface ErrorStream {
  /** Writes some text. */
  write(text: string): unknown;
}

const encoder = new TextEncoder();

/** The bytes of a part. Throws a TypeError if it is none. */
export function toBytes(item: unknown): Uint8Array<ArrayBuffer> {
  if (typeof item === "string") {
    return encoder.encode(item);
  }
  if (item instanceof Uint8Array) {
    return item as Uint8Array<ArrayBuffer>;
  }
  throw new TypeError(
    `The app's body has an item that is neither a string nor bytes: ${typeof item}`,
  );
}

/** Joins all parts. */
export function concat<B extends ArrayBufferLike>(parts: Uint8Array<B>[]): Uint8Array<B> {
  if (parts.length === 1) {
    return parts[0];
  }
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all as Uint8Array<B>;
}

/** Reports an error that cannot be reported otherwise. */
export function report(errors: ErrorStream, error: unknown): void {
  errors.write(`${inspect(error)}\n`);
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

function iteratorOf(body: object): AnyIterator {
  if (Symbol.asyncIterator in body) {
    return (body as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  }
  if (Symbol.iterator in body) {
    return (body as Iterable<unknown>)[Symbol.iterator]();
  }
  throw new TypeError("The app must return a string, bytes or an iterable of them");
}

/** The parts of a body in order. It is closed once, in every case. */
export class Items {
  readonly #body: object;
  readonly #iterator: AnyIterator;
  readonly #errors: ErrorStream;
  #closed = false;

  /** Throws a TypeError if `body` is not iterable. */
  constructor(body: unknown, errors: ErrorStream) {
    if (typeof body !== "object" || body === null) {
      throw new TypeError(
        `The app returned ${body === null ? "null" : typeof body}, which is not iterable`,
      );
    }
    this.#body = body;
    this.#errors = errors;
    this.#iterator = iteratorOf(body);
  }

  /**
   * The next non-empty part, `undefined` after the last. `waits` is called if it is not there yet.
   */
  async next(waits?: () => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (!this.#closed) {
      const pending = this.#iterator.next();
      if (waits !== undefined && pending instanceof Promise) {
        waits();
        waits = undefined;
      }
      const { done, value } = await pending;
      if (done) {
        return undefined;
      }
      const bytes = toBytes(value);
      if (bytes.length > 0) {
        return bytes;
      }
    }
    return undefined;
  }

  /** Calls the iterator's `return()` and the body's `close()`, once. */
  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    try {
      // Not awaited: a generator handles it only after its current item.
      Promise.resolve(this.#iterator.return?.()).catch((error) => report(this.#errors, error));
    } catch (error) {
      report(this.#errors, error);
    }
    await closeBody(this.#body, this.#errors);
  }
}

/** Calls a body's `close()`; an exception is too late to change the response. */
export async function closeBody(body: object, errors: ErrorStream): Promise<void> {
  try {
    await (body as { close?: () => unknown }).close?.();
  } catch (error) {
    report(errors, error);
  }
}

/** A stream of `first` and what follows, ending after `length` bytes if given. */
export function streamOf(
  items: Items,
  first: Uint8Array<ArrayBuffer>,
  length: number = Infinity,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next: Uint8Array<ArrayBuffer> | undefined = first;
  let left = length;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const bytes = next ?? await items.next();
    next = undefined;
    if (bytes !== undefined) {
      controller.enqueue(bytes.subarray(0, left));
      left -= Math.min(left, bytes.length);
    }
    if (bytes === undefined || left === 0) {
      controller.close();
      await items.close();
    }
  };
  return new ReadableStream({
    pull: (controller) =>
      pull(controller).catch(async (error) => {
        await items.close();
        throw error;
      }),
    cancel: () => items.close(),
  }, { highWaterMark: 0 });
}
