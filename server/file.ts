/**
 * Files as response bodies, sent with `sendfile(2)`.
 *
 * @module
 */
import { tools } from "../ffi/library.ts";
import { native } from "../ffi/native.ts";
import { cString, ERROR_SIZE, PATH_SIZE, toCString } from "./c_string.ts";
import { refuseUnknown } from "./checks.ts";
import { errnos, FileError } from "./errors.ts";
import { Response as RecordedResponse } from "./response.ts";

/** Which part of a file to send, and with which head. */
export interface FileOptions {
  /**
   * Bytes to skip at the beginning. By default none, or up to the position of the caller's
   * descriptor.
   */
  offset?: number;
  /** Bytes to send; by default all that follow. */
  length?: number;
  /** The Content-Type; none by default, unless it is in `headers`. */
  contentType?: string;
  /** More header fields. */
  headers?: HeadersInit;
  /**
   * The status.
   *
   * @default {200}
   */
  status?: number;
}

const OPTIONS: (keyof FileOptions)[] = ["offset", "length", "contentType", "headers", "status"];

/** Bytes per read when a file's body is read as a stream. */
const BLOCK = 65536;

/** The part of a file that a response sends. */
export interface Part {
  file: OpenFile;
  offset: number;
  length: number;
}

/** Keyed by the stream with the same bytes, until somebody reads from it. */
const parts = new WeakMap<ReadableStream, Part>();

/** For responses with files: accessing the body would count as using it. */
const lengths = new WeakMap<globalThis.Response, number>();

/** The length of a response's file part, if it has one. */
export function fileLength(response: globalThis.Response): number | undefined {
  return lengths.get(response);
}

/**
 * The file behind an untouched body. The caller must close it. Throws a FileError if it is closed.
 */
export function takePart(body: ReadableStream): Part | undefined {
  const part = body.locked ? undefined : parts.get(body);
  parts.delete(body);
  part?.file.checkOpen();
  return part;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Closes files that were neither sent nor closed. */
const forgotten = new FinalizationRegistry<number>((fd) => tools().bj_file_close(fd));

/**
 * A regular file, open for reading.
 *
 * @example
 * ```ts
 * import { fileURLToPath } from "node:url";
 * import { OpenFile } from "@x/bjoern";
 *
 * using file = OpenFile.open(fileURLToPath(import.meta.url));
 * console.log(file.size, new Date(file.mtime), file.realPath);
 * ```
 */
export class OpenFile implements Disposable {
  /** Its size in bytes. */
  readonly size: number;
  /** When it was last modified, in milliseconds since 1970. */
  readonly mtime: number;
  /**
   * The path of the opened file with all links resolved; `""` for a descriptor, or if the system
   * does not reveal it. Linux appends `" (deleted)"` if the file has been removed.
   */
  readonly realPath: string;
  /** The descriptor's position when it was opened. */
  readonly position: number;
  readonly #name: string;
  #fd: number;

  private constructor(fd: number, name: string, facts: Float64Array, realPath: string) {
    this.#fd = fd;
    this.#name = name;
    [this.size, this.mtime, this.position] = facts;
    this.realPath = realPath;
    forgotten.register(this, fd, this);
  }

  /**
   * Opens the file at `path`.
   *
   * @throws {FileError} If it does not exist, is not a regular file, or cannot be read.
   * @throws {TypeError} If the path contains NUL, or a URL is not a `file:` URL.
   * @throws {Error} Deno's NotCapable, without `--allow-read` for it.
   */
  static open(path: string | URL): OpenFile {
    const text = typeof path === "string"
      ? path
      : process.getBuiltinModule("node:url").fileURLToPath(path);
    if (text.includes("\0")) {
      throw new TypeError("A path must not contain NUL");
    }
    native.checkRead(text);
    const [facts, realPath, error] = [
      new Float64Array(3),
      new Uint8Array(PATH_SIZE),
      new Uint8Array(ERROR_SIZE),
    ];
    const fd = tools().bj_file_open(toCString(text), facts, realPath, error);
    if (fd < 0) {
      throw new FileError(text, cString(error), -fd);
    }
    const file = new OpenFile(fd, text, facts, cString(realPath));
    file.#checkLink(text);
    return file;
  }

  /**
   * Opens the file of the caller's descriptor `fd`, which stays open at its position.
   *
   * @throws {FileError} If it is not a regular file.
   * @throws {TypeError} If `fd` is not a whole number of at least 0.
   */
  static adopt(fd: number): OpenFile {
    if (!Number.isInteger(fd) || fd < 0) {
      throw new TypeError(`A descriptor must be a whole number from 0: ${fd}`);
    }
    const [facts, error] = [new Float64Array(3), new Uint8Array(ERROR_SIZE)];
    const own = tools().bj_file_adopt(fd, facts, error);
    if (own < 0) {
      throw new FileError(`descriptor ${fd}`, cString(error), -own);
    }
    return new OpenFile(own, `descriptor ${fd}`, facts, "");
  }

  /**
   * A response with the file, or a part of it, as its body. The file is closed when the response
   * has been sent or abandoned.
   *
   * @throws {RangeError} If there is no such part, or the status is invalid.
   * @throws {FileError} If it is closed, as it is once a response with it has been sent.
   * @throws {TypeError} If an option is unknown, or a header is invalid.
   */
  respond(options: FileOptions = {}): Response {
    this.checkOpen();
    refuseUnknown(options, OPTIONS, "", { type: "contentType" });
    const { offset = this.position, length = this.size - offset, status } = options;
    const headers = new Headers(options.headers);
    if (options.contentType !== undefined) {
      headers.set("content-type", options.contentType);
    }
    const stream = this.stream(offset, length);
    parts.set(stream, { file: this, offset, length });
    const response = new RecordedResponse(stream, { status, headers });
    lengths.set(response, length);
    return response;
  }

  /** A link may lead to a place that the process may not read. */
  #checkLink(path: string): void {
    if (this.realPath === "" || this.realPath === path) {
      return;
    }
    try {
      native.checkRead(this.realPath);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #checkPart(offset: number, length: number): void {
    if (!isSize(offset) || !isSize(length) || offset + length > this.size) {
      throw new RangeError(
        `A file of ${this.size} bytes has no ${length} bytes from byte ${offset} on`,
      );
    }
  }

  /**
   * Reads up to `length` bytes; fewer at the end of the file.
   *
   * @throws {FileError} If the system cannot read it.
   * @throws {RangeError} If an argument is not a whole number of at least 0.
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (!isSize(offset) || !isSize(length)) {
      throw new RangeError(`A file has no ${length} bytes from byte ${offset} on`);
    }
    const bytes = new Uint8Array(length);
    const [low, high] = [offset % 2 ** 32, Math.floor(offset / 2 ** 32)];
    const count = tools().bj_file_read(this.#fd, bytes, length, low, high);
    if (count < 0) {
      throw new FileError(this.#name, "read", -count);
    }
    return bytes.subarray(0, count);
  }

  /**
   * A stream of `length` bytes from `offset` on, by default all, after which the file is closed. It
   * fails if the file gets shorter.
   *
   * @throws {RangeError} If there is no such part.
   */
  stream(offset = 0, length: number = this.size - offset): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#checkPart(offset, length);
    let at = offset;
    const end = offset + length;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => {
        parts.delete(stream);
        const block = this.read(at, Math.min(BLOCK, end - at));
        if (block.length === 0 && at < end) {
          this.close();
          throw new FileError(this.#name, "read: the file has become shorter", errnos().EIO);
        }
        at += block.length;
        if (block.length > 0) {
          controller.enqueue(block);
        }
        if (at === end) {
          controller.close();
          this.close();
        }
      },
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
    return stream;
  }

  /** Throws a FileError if it is closed, or its descriptor released. */
  checkOpen(): void {
    if (this.#fd < 0) {
      throw new FileError(this.#name, "it is closed", errnos().EBADF);
    }
  }

  /** Releases the descriptor: the caller must close it. */
  release(): number {
    const fd = this.#fd;
    this.#fd = -1;
    forgotten.unregister(this);
    return fd;
  }

  /** Closes it. A response being sent is not affected. */
  close(): void {
    if (this.#fd >= 0) {
      tools().bj_file_close(this.release());
    }
  }

  /** {@linkcode OpenFile.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A response with a file as its body: `sendfile(2)` moves it from the file to the socket. It can be
 * cloned, read and wrapped like any other response; then it is read in blocks.
 *
 * @param file A path, a `file:` URL, or the caller's descriptor, which stays open.
 * @throws {FileError} If it does not exist, is not a regular file, or cannot be read.
 * @throws {RangeError} If it has no such part, or the status is invalid.
 * @throws {TypeError} If the path contains NUL, a URL is not a `file:` URL, a descriptor is not a
 * whole number of at least 0, or an option is unknown.
 * @throws {Error} Deno's NotCapable, without `--allow-read` for it.
 *
 * @example
 * ```ts
 * import { fileURLToPath } from "node:url";
 * import { run, sendFile } from "@x/bjoern";
 *
 * const path = fileURLToPath(import.meta.url);
 * const server = run(() => sendFile(path, { contentType: "text/plain" }), { port: 0 });
 * console.log((await (await fetch(server.url)).text()).length);
 * await server.shutdown();
 * ```
 */
export function sendFile(file: string | URL | number, options: FileOptions = {}): Response {
  const opened = typeof file === "number" ? OpenFile.adopt(file) : OpenFile.open(file);
  try {
    return opened.respond(options);
  } catch (error) {
    opened.close();
    throw error;
  }
}
