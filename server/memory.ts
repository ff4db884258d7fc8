/**
 * The memory that is shared with the C library, and text that is read from it.
 *
 * @module
 */
import { COMMAND_WORDS, EVENT_WORDS } from "./records.ts";

/** Received octets of one turn. */
export const ARENA_SIZE = 1 << 21;
/** Header fields of one turn. */
export const FIELD_SLOTS = 1 << 14;
/** Events of one turn. */
export const EVENT_SLOTS = 1 << 11;
/** Octets of one flush. */
export const OUTPUT_SIZE = 1 << 20;
/** Commands of one flush. */
export const COMMAND_SLOTS = 1 << 11;

/**
 * The library keeps these addresses: every view stands on an ArrayBuffer of its own that is never
 * resized, transferred or shown to anyone.
 */
export class Memory {
  readonly arena: Uint8Array = new Uint8Array(new ArrayBuffer(ARENA_SIZE));
  readonly fields: Uint32Array = new Uint32Array(new ArrayBuffer(FIELD_SLOTS * 8));
  readonly events: Uint32Array = new Uint32Array(new ArrayBuffer(EVENT_SLOTS * EVENT_WORDS * 4));
  readonly output: Uint8Array = new Uint8Array(new ArrayBuffer(OUTPUT_SIZE));
  readonly commands: Uint32Array = new Uint32Array(
    new ArrayBuffer(COMMAND_SLOTS * COMMAND_WORDS * 4),
  );
  /** Counts turns: what was read from the arena in an earlier one is not there any more. */
  turn = 0;
}

/** Slots of the table of strings. */
const SLOTS = 1 << 11;
/** Octets of the longest string in it. */
const LONGEST = 40;

const strings: string[] = new Array<string>(SLOTS).fill("");

type Decode = (this: Uint8Array, start: number, end: number) => string;

/** What `Buffer`'s `toString("latin1")` calls, taken when it is needed first: Deno loads it then. */
let decode: Decode | undefined;

function isSame(text: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[at + i]) {
      return false;
    }
  }
  return true;
}

function decoded(bytes: Uint8Array, at: number, size: number): string {
  decode ??= (Buffer.prototype as unknown as { latin1Slice: Decode }).latin1Slice;
  return decode.call(bytes, at, at + size);
}

/**
 * Decodes octets as latin-1 (RFC 9110 section 5.5). The same short texts come again and again, and
 * a decoder costs more than looking them up: the table is bounded, a text that hashes alike takes
 * the slot over.
 */
export function latin1(bytes: Uint8Array, at: number, size: number): string {
  if (size > LONGEST) {
    return decoded(bytes, at, size);
  }
  let hash = size;
  for (let i = at; i < at + size; i++) {
    hash = Math.imul(hash, 31) + bytes[i] | 0;
  }
  const slot = (hash ^ hash >>> 15) & (SLOTS - 1);
  const found = strings[slot];
  if (found.length === size && isSame(found, bytes, at)) {
    return found;
  }
  return strings[slot] = decoded(bytes, at, size);
}
