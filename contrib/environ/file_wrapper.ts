/**
 * A file as a response's body: the counterpart of `wsgi.file_wrapper`.
 *
 * @module
 */
import { read } from "node:fs";
import { FileError } from "../../server/errors.ts";
import { OpenFile } from "../../server/file.ts";

/** What can be read in blocks; text is sent as UTF-8, an empty block is the end. */
export interface Readable {
  /** Reads at most `size` bytes. */
  read(size: number): Block | Promise<Block>;
  /** Called once when the file is not needed any more. */
  close?(): unknown;
}

/** What was read. */
export type Block = string | Uint8Array | null | undefined;

/** An open descriptor, such as a `FileHandle` of `node:fs/promises`. */
export interface Descriptor {
  /** Its number. */
  readonly fd: number;
  /** Called once when the file is not needed any more. */
  close?(): unknown;
}

/** Anything that comes in parts: a stream of Node's, a `ReadableStream`. */
export type Parts = AsyncIterable<string | Uint8Array>;

/** What has a stream of itself, such as a `Deno.FsFile`. */
export interface Streamed {
  /** Its content. */
  readonly readable: Parts;
  /** Called once when the file is not needed any more. */
  close?(): unknown;
}

/**
 * A file: a descriptor, an object that has one, an object that reads, a stream, or what has one. A
 * `Bun.file()` is a Blob.
 */
export type File = number | Descriptor | Readable | Parts | Streamed | Blob;

const BLOCK_SIZE = 65536;

/** Reads from where the descriptor's offset stands. */
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

/** Not that of a stream, which may have read from it and may mean a part of it. */
function fdOf(file: File): number | undefined {
  if (!isObject(file)) {
    return typeof file === "number" ? file : undefined;
  }
  const isStream = Symbol.asyncIterator in file;
  return !isStream && "fd" in file && typeof file.fd === "number" ? file.fd : undefined;
}

/** A file that is a stream, or has one. */
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

/** Reads a stream part by part, whatever their size. */
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
 * The blocks of a file, from where it stands to its end. A regular file is sent by `sendfile(2)`.
 * The file is closed after the response if it can be; a bare descriptor stays the caller's.
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
  /** What is read. */
  readonly file: File;
  /**
   * How many bytes are read at a time.
   *
   * @default {65536}
   */
  readonly blockSize: number;
  readonly #read: (size: number) => Block | Promise<Block>;

  /** Wraps `file`; nothing is read before the response begins. */
  constructor(file: File, blockSize: number = BLOCK_SIZE) {
    if (!Number.isInteger(blockSize) || blockSize < 1) {
      throw new RangeError(`A block has a whole number of bytes from 1: ${blockSize}`);
    }
    this.file = file;
    this.blockSize = blockSize;
    this.#read = readerOf(file);
  }

  /** What it wraps, if that is a regular file: then the system can send it by itself. */
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

  /** Closes the file, if it can be closed. */
  async close(): Promise<void> {
    const { file } = this;
    if (isObject(file) && "close" in file && typeof file.close === "function") {
      await file.close();
    }
  }
}
