/**
 * Files as bodies of responses, sent by `sendfile(2)`.
 *
 * @module
 */
import { tools } from "../ffi/library.ts";
import { native } from "../ffi/native.ts";
import { cString, ERROR_SIZE, PATH_SIZE, toCString } from "./c_string.ts";
import { refuseUnknown } from "./checks.ts";
import { errnos, FileError } from "./errors.ts";
import { Response as RecordedResponse } from "./response.ts";

/** Which part of a file is sent, and under which head. */
export interface FileOptions {
  /**
   * Bytes that are left out at the beginning. By default none, or where the caller's descriptor
   * stands.
   */
  offset?: number;
  /** Bytes that are sent; by default all that follow. */
  length?: number;
  /** The Content-Type; by default there is none, unless `headers` have it. */
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

/** Octets of one read, where a file's body is asked for as a stream. */
const BLOCK = 65536;

/** A part of a file that a response is to send. */
export interface Part {
  file: OpenFile;
  offset: number;
  length: number;
}

/** By the stream that has the same bytes, as long as nobody has read from it. */
const parts = new WeakMap<ReadableStream, Part>();

/** Of responses with files: to ask one for its body would be to touch it. */
const lengths = new WeakMap<globalThis.Response, number>();

/** How many bytes of a file a response has, if it has one. */
export function fileLength(response: globalThis.Response): number | undefined {
  return lengths.get(response);
}

/**
 * The file that a body is of, if it is untouched. Who takes it has to close it. Throws a FileError
 * for one that is closed.
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

/** Closes what nobody has sent or closed. */
const forgotten = new FinalizationRegistry<number>((fd) => tools().bj_file_close(fd));

/**
 * A regular file that is open for reading.
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
  /** In bytes. */
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtime: number;
  /**
   * Where what was opened really lies, free of links; `""` for a descriptor, or where the system
   * does not tell. Linux writes `" (deleted)"` behind it when the file has gone.
   */
  readonly realPath: string;
  /** Where the descriptor stood. */
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
   * @throws {FileError} When it is not there, not a regular file, or may not be read.
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
   * Opens what the caller's descriptor `fd` is; that stays open and where it stands.
   *
   * @throws {FileError} When it is not a regular file.
   * @throws {TypeError} When it is no whole number from 0.
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
   * A response with the file, or a part of it, as its body. When it is sent or given up the file is
   * closed.
   *
   * @throws {RangeError} When there is no such part.
   * @throws {FileError} When it is closed, which it is once a response with it is sent.
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

  /** A link may lead to where the process may not read. */
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
   * Reads up to `length` bytes: fewer at the end of the file.
   *
   * @throws {FileError} When the system cannot read it.
   * @throws {RangeError} When one of them is no whole number from 0.
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
   * The same as a stream, after which the file is closed: `length` bytes from byte `offset` on, by
   * default all. It fails if the file gets shorter.
   *
   * @throws {RangeError} When there is no such part.
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

  /** Throws a FileError when it is closed, or its descriptor given away. */
  checkOpen(): void {
    if (this.#fd < 0) {
      throw new FileError(this.#name, "it is closed", errnos().EBADF);
    }
  }

  /** Gives the descriptor away: whoever has it closes it. */
  release(): number {
    const fd = this.#fd;
    this.#fd = -1;
    forgotten.unregister(this);
    return fd;
  }

  /** Closes it. What is being sent is sent. */
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
 * copied, read and wrapped as any other response; then it is read in blocks.
 *
 * @param file A path, or a descriptor of the caller's, which stays open.
 * @throws {FileError} When it is not there, not a regular file, or may not be read.
 * @throws {RangeError} When it has no such part.
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
