/**
 * Command records: what the library sends, and when it receives them.
 *
 * @module
 */
import { more, tools } from "../ffi/library.ts";
import type { Library, Pointer } from "../ffi/symbols.ts";
import type { RequestError } from "./errors.ts";
import { type Exchange, State } from "./exchange.ts";
import type { Part } from "./file.ts";
import { COMMAND_SLOTS, type Memory, OUTPUT_SIZE } from "./memory.ts";
import { type Block, type Encoded, NOTHING, Output } from "./output.ts";
import {
  Command,
  COMMAND_WORDS,
  CommandType,
  CONSUME_REST,
  HIGH_WATER,
  WriteFlag,
} from "./records.ts";

/** Most bytes of one command's body; larger ones are written in parts. */
export const PART_SIZE = OUTPUT_SIZE / 4;

/**
 * Bytes reserved for small parts of one body, between which other streams write theirs: less than
 * what the library sends in place, which would take a system call for each.
 */
const TAIL_SIZE = 16000;

/** The current end of a body: until it is handed over, more is appended. */
export interface Tail {
  batch: number;
  command: number;
  at: number;
  end: number;
}

/** The tail of a body with nothing written. */
export function noTail(): Tail {
  return { batch: -1, command: 0, at: 0, end: 0 };
}

/** A part of a stream whose writer waits to learn how much the socket took. */
interface Report {
  exchange: Exchange;
  at: number;
  done: () => void;
}

/** Collects commands in shared memory and hands them over. */
export class Writer {
  readonly #library: Library;
  #server: Pointer | null;
  readonly #commands: Uint32Array;
  readonly #output: Output;
  readonly #late: () => void;
  #count = 0;
  /** How often commands were handed over. */
  #batch = 0;
  #reports: Report[] = [];
  /** Whether the library has unsent output. */
  #collected = false;
  /** Whether a flush will follow anyway. */
  held = false;

  /** `late` is called when commands are written while no flush will follow. */
  constructor(library: Library, server: Pointer, memory: Memory, late: () => void) {
    this.#library = library;
    this.#server = server;
    this.#commands = memory.commands;
    this.#output = new Output(memory.output);
    this.#late = late;
  }

  /** Writes permanent header lines, before anything else is written. */
  keep(lines: string): Block {
    const block = this.#output.latin1(lines);
    this.#output.keep();
    return block;
  }

  /** Hands everything over to be sent. */
  flush(): void {
    if (this.#count > 0 || this.#collected) {
      this.#collected = false;
      this.#handOver(true);
    }
  }

  /** Hands everything over, to be sent with later output. */
  #collect(): void {
    if (this.#count > 0) {
      this.#collected = true;
      this.#handOver(false);
    }
  }

  #handOver(sends: boolean): void {
    if (this.#server === null) {
      this.#closeFiles();
    } else if (sends) {
      this.#library.bj_server_flush(this.#server, this.#count);
    } else {
      more().bj_server_collect(this.#server, this.#count);
    }
    this.#count = 0;
    this.#batch++;
    this.#output.makeWay();
    if (this.#reports.length > 0) {
      this.#report();
    }
  }

  /** Nothing takes the commands any more; those with a file close it. */
  #closeFiles(): void {
    for (let at = 0; at < this.#count * COMMAND_WORDS; at += COMMAND_WORDS) {
      if ((this.#commands[at + Command.flags] & WriteFlag.FILE) !== 0) {
        tools().bj_file_close(this.#commands[at + Command.body_at]);
      }
    }
  }

  /** Writers continue at once or when the client has caught up. */
  #report(): void {
    const reports = this.#reports;
    this.#reports = [];
    for (const { exchange, at, done } of reports) {
      if (this.#commands[at + Command.backlog] > HIGH_WATER && !exchange.over) {
        exchange.onDrain = done;
      } else {
        done();
      }
    }
  }

  /** The server is gone: all commands are dropped, including pending ones. */
  close(): void {
    this.#server = null;
    this.flush();
  }

  /** Makes room for `size` bytes and a command. */
  room(size: number): void {
    if (!this.#output.hasRoom(size) || this.#count === COMMAND_SLOTS) {
      this.#collect();
    }
  }

  /** Writes header lines, one byte per character. There must be room. */
  latin1(lines: string): Block {
    return this.#output.latin1(lines);
  }

  #command(type: number, exchange: Exchange, flags: number): number {
    if (this.#count === 0 && !this.held) {
      this.#late();
    }
    const at = this.#count++ * COMMAND_WORDS;
    const commands = this.#commands;
    commands[at + Command.type] = type;
    commands[at + Command.request] = exchange.slot;
    commands[at + Command.generation] = exchange.generation;
    commands[at + Command.flags] = flags;
    commands[at + Command.fields_size] = 0;
    commands[at + Command.body_size] = 0;
    return at;
  }

  #write(
    exchange: Exchange,
    flags: number,
    status: number,
    fields: Block,
    bodyAt: number,
    bodySize: number,
  ): number {
    const at = this.#command(
      CommandType.WRITE,
      exchange,
      exchange.notify ? flags | WriteFlag.NOTIFY : flags,
    );
    exchange.awaitsSent = exchange.notify;
    const commands = this.#commands;
    commands[at + Command.status] = status;
    commands[at + Command.fields_at] = fields.at;
    commands[at + Command.fields_size] = fields.size;
    commands[at + Command.body_at] = bodyAt;
    commands[at + Command.body_size] = bodySize;
    exchange.bytes += bodySize;
    if ((flags & WriteFlag.HEAD) !== 0) {
      exchange.status = status;
    }
    if ((flags & WriteFlag.END) === 0) {
      exchange.state = State.STARTED;
    } else {
      exchange.finish();
    }
    return at;
  }

  #length(at: number, length: number): void {
    this.#commands[at + Command.flags] |= WriteFlag.LENGTH;
    this.#commands[at + Command.length_low] = length % 2 ** 32;
    this.#commands[at + Command.length_high] = Math.floor(length / 2 ** 32);
  }

  /** A whole response with a text of at most `PART_SIZE / 3` characters. */
  text(exchange: Exchange, status: number, flags: number, fields: Block, text: string): void {
    const bodyAt = this.#output.used;
    const size = this.#output.text(text);
    const whole = flags | WriteFlag.HEAD | WriteFlag.END;
    if (exchange.isHead) {
      this.#length(this.#write(exchange, whole, status, fields, 0, 0), size);
    } else {
      this.#write(exchange, whole, status, fields, bodyAt, size);
    }
  }

  /** A whole response with at most `PART_SIZE` bytes. There must be room for them. */
  whole(exchange: Exchange, status: number, flags: number, fields: Block, bytes: Uint8Array): void {
    const whole = flags | WriteFlag.HEAD | WriteFlag.END;
    this.#write(exchange, whole, status, fields, this.#output.put(bytes), bytes.length);
  }

  /** The head of a response, with its length if known; `end` for one without a body. */
  head(
    exchange: Exchange,
    status: number,
    flags: number,
    fields: Block,
    length: number | undefined,
    end: boolean,
  ): void {
    const all = flags | WriteFlag.HEAD | (end ? WriteFlag.END : 0);
    const at = this.#write(exchange, all, status, fields, 0, 0);
    if (length !== undefined) {
      this.#length(at, length);
    }
  }

  /** A whole response with a part of a file as its body. The library closes the descriptor. */
  file(exchange: Exchange, status: number, flags: number, fields: Block, part: Part): void {
    const { file, offset, length } = part;
    const whole = flags | WriteFlag.HEAD | WriteFlag.END | WriteFlag.FILE;
    const at = this.#write(exchange, whole, status, fields, file.release(), 0);
    exchange.bytes = length;
    this.#length(at, length);
    this.#commands[at + Command.offset_low] = offset % 2 ** 32;
    this.#commands[at + Command.offset_high] = Math.floor(offset / 2 ** 32);
  }

  /**
   * Sends bytes of a body whose head was written with `WriteFlag.DIRECT`, as far as the socket
   * accepts them. Returns their number; if not all, the rest follows once `exchange.onDrain` is
   * called.
   */
  direct(exchange: Exchange, bytes: Uint8Array): number {
    this.#collect();
    if (this.#server === null) {
      return bytes.length;
    }
    this.#collected = false;
    const { slot, generation } = exchange;
    const { length } = bytes;
    const taken = more().bj_server_write(this.#server, slot, generation, bytes, length);
    exchange.bytes += taken;
    return taken;
  }

  /** A part of a body, at most `PART_SIZE`. A small one is appended to the one before. */
  part(exchange: Exchange, bytes: Uint8Array, tail: Tail): void {
    const { length } = bytes;
    if (tail.batch !== this.#batch || tail.end - tail.at < length) {
      this.#open(exchange, tail, length);
    }
    this.#output.fill(bytes, tail.at);
    this.#commands[tail.command + Command.body_size] += length;
    tail.at += length;
    exchange.bytes += length;
  }

  /** Starts a command; all but the first of a batch have room for more parts. */
  #open(exchange: Exchange, tail: Tail, length: number): void {
    const size = tail.batch === this.#batch ? Math.max(length, TAIL_SIZE) : length;
    this.room(size);
    tail.batch = this.#batch;
    tail.at = this.#output.reserve(size);
    tail.end = tail.at + size;
    tail.command = this.#write(exchange, 0, 0, NOTHING, tail.at, 0);
  }

  /**
   * As much of a text as there is room for, in UTF-8, and its number of characters. It stays in
   * the output memory until more is written.
   */
  encode(text: string): Encoded {
    this.room(PART_SIZE);
    return this.#output.lend(text);
  }

  /** The end of a body. */
  end(exchange: Exchange): void {
    this.room(0);
    this.#write(exchange, WriteFlag.END, 0, NOTHING, 0, 0);
  }

  /** Settles when the parts so far are sent, except for what may wait in the library. */
  caughtUp(exchange: Exchange): Promise<void> {
    if (exchange.over) {
      return Promise.resolve();
    }
    this.room(0);
    const at = this.#write(exchange, 0, 0, NOTHING, 0, 0);
    return new Promise((done) => this.#reports.push({ exchange, at, done }));
  }

  /** The handler has taken bytes of the body; with `rest`, it reads the others itself. */
  consume(exchange: Exchange, taken: number, rest: boolean): void {
    if (!exchange.over) {
      this.room(0);
      const at = this.#command(CommandType.CONSUME, exchange, rest ? CONSUME_REST : 0);
      this.#commands[at + Command.body_size] = taken;
    }
  }

  /** Sets how many bytes the request's body may have. */
  limit(exchange: Exchange, size: number): void {
    this.room(0);
    this.#length(this.#command(CommandType.LIMIT, exchange, 0), size);
  }

  /** The response cannot be completed, which the client must notice. */
  cut(exchange: Exchange, reason: RequestError): void {
    if (!exchange.over) {
      this.room(0);
      this.#command(CommandType.ABORT, exchange, 0);
      exchange.abort(reason);
    }
  }
}
