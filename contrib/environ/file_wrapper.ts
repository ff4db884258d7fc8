/**
 * A file as a response body: the counterpart of `wsgi.file_wrapper`.
 *
 * @module
 */
import { read } from "node:fs";
import { FileError } from "../../server/errors.ts";
import { OpenFile } from "../../server/file.ts";

/** An object read in blocks; text is sent as UTF-8, an empty block means the end. */
export interface Readable {
  /** Reads at most `size` bytes. */
  read(size: number): Block | Promise<Block>;
  /** Called once when the file is no longer needed. */
  close?(): unknown;
}

/** The result of a read. */
export type Block = string | Uint8Array | null | undefined;

/** An open descriptor, such as a `FileHandle` of `node:fs/promises`. */
export interface Descriptor {
  /** Its number. */
  readonly fd: number;
  /** Called once when the file is no longer needed. */
  close?(): unknown;
}

/** Anything that arrives in parts: a Node stream, a `ReadableStream`. */
export type Parts = AsyncIterable<string | Uint8Array>;

/** An object with a stream of its content, such as a `Deno.FsFile`. */
export interface Streamed {
  /** Its content. */
  readonly readable: Parts;
  /** Called once when the file is no longer needed. */
  close?(): unknown;
}

/**
 * A file: a descriptor, an object with a descriptor, a `read` method or a stream, or a stream. A
 * `Bun.file()` is a Blob.
 */
export type File = number | Descriptor | Readable | Parts | Streamed | Blob;

const BLOCK_SIZE = 65536;

/** Reads from the descriptor's position. */
function readDescriptor(fd: number, size: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const block = new Uint8Array(size);
    read(fd, block, 0, size, null, (error, count) => {
      if (error) {
        reject(error);
      } else {
        resolve(block.subarray(0, count));
      }
    });
  });
}

function isObject(file: unknown): file is object {
  return typeof file === "object" && file !== null;
}

/** Not that of a stream, which may have read from it or cover only a part. */
function fdOf(file: File): number | undefined {
  if (!isObject(file)) {
    return typeof file === "number" ? file : undefined;
  }
  const isStream = Symbol.asyncIterator in file;
  return !isStream && "fd" in file && typeof file.fd === "number" ? file.fd : undefined;
}

/** A stream, or a file with one. */
function partsOf(file: File): Parts | undefined {
  if (!isObject(file)) {
    return undefined;
  }
  if (file instanceof Blob) {
    return file.stream() as unknown as Parts;
  }
  const stream = "readable" in file && isObject(file.readable) ? file.readable : file;
  return Symbol.asyncIterator in stream ? stream as Parts : undefined;
}

/** Reads a stream part by part, of any size. */
function readParts(parts: Parts): () => Promise<Block> {
  const iterator = parts[Symbol.asyncIterator]();
  return async () => {
    let result = await iterator.next();
    while (!result.done && result.value.length === 0) {
      result = await iterator.next();
    }
    return result.done ? null : result.value;
  };
}

function readerOf(file: File): (size: number) => Block | Promise<Block> {
  const fd = fdOf(file);
  if (fd !== undefined) {
    return (size) => readDescriptor(fd, size);
  }
  const parts = partsOf(file);
  if (parts !== undefined) {
    return readParts(parts);
  }
  if (isObject(file) && "read" in file && typeof file.read === "function") {
    return (size) => (file as Readable).read(size);
  }
  throw new TypeError("A file must be a descriptor, a stream or a Blob, or have an fd or read()");
}

/**
 * The blocks of a file, from its position to its end. A regular file is sent with `sendfile(2)`.
 * The file is closed after the response if possible; a bare descriptor stays the caller's.
 *
 * @example
 * ```ts
 * import { open } from "node:fs/promises";
 * import { fileURLToPath } from "node:url";
 * import { FileWrapper } from "@x/bjoern/contrib/environ";
 *
 * const file = new FileWrapper(await open(fileURLToPath(import.meta.url)));
 * for await (const block of file) console.log(block?.length);
 * await file.close();
 * ```
 */
export class FileWrapper implements AsyncIterable<string | Uint8Array> {
  /** The file. */
  readonly file: File;
  /**
   * Bytes per read.
   *
   * @default {65536}
   */
  readonly blockSize: number;
  readonly #read: (size: number) => Block | Promise<Block>;

  /**
   * Wraps `file`; nothing is read before the response begins.
   *
   * @throws {RangeError} If `blockSize` is not a whole number of at least 1.
   */
  constructor(file: File, blockSize: number = BLOCK_SIZE) {
    if (!Number.isInteger(blockSize) || blockSize < 1) {
      throw new RangeError(`The block size must be a whole number of at least 1: ${blockSize}`);
    }
    this.file = file;
    this.blockSize = blockSize;
    this.#read = readerOf(file);
  }

  /** The wrapped file, if it is a regular one that the system can send itself. */
  open(): OpenFile | undefined {
    const fd = fdOf(this.file);
    try {
      return fd === undefined ? undefined : OpenFile.adopt(fd);
    } catch (error) {
      if (error instanceof FileError) {
        return undefined;
      }
      throw error;
    }
  }

  /** Reads block after block. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void, undefined> {
    for (;;) {
      const block = await this.#read(this.blockSize);
      if (block === null || block === undefined || block.length === 0) {
        return;
      }
      yield block;
    }
  }

  /** Closes the file, if possible. */
  async close(): Promise<void> {
    const { file } = this;
    if (isObject(file) && "close" in file && typeof file.close === "function") {
      await file.close();
    }
  }
}
