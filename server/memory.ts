/**
 * The memory shared with the C library, and reading text from it.
 *
 * @module
 */
import { COMMAND_WORDS, EVENT_WORDS } from "./records.ts";

/** Received bytes of one turn. */
export const ARENA_SIZE = 1 << 21;
/** Header fields of one turn. */
export const FIELD_SLOTS = 1 << 14;
/** Events of one turn. */
export const EVENT_SLOTS = 1 << 11;
/** Bytes of one flush. */
export const OUTPUT_SIZE = 1 << 20;
/** Commands of one flush. */
export const COMMAND_SLOTS = 1 << 11;

/**
 * The library keeps these addresses: each view has its own ArrayBuffer, which is never
 * resized, transferred or exposed.
 */
export class Memory {
  readonly arena: Uint8Array = new Uint8Array(new ArrayBuffer(ARENA_SIZE));
  readonly fields: Uint32Array = new Uint32Array(new ArrayBuffer(FIELD_SLOTS * 8));
  readonly events: Uint32Array = new Uint32Array(new ArrayBuffer(EVENT_SLOTS * EVENT_WORDS * 4));
  readonly output: Uint8Array = new Uint8Array(new ArrayBuffer(OUTPUT_SIZE));
  readonly commands: Uint32Array = new Uint32Array(
    new ArrayBuffer(COMMAND_SLOTS * COMMAND_WORDS * 4),
  );
  /** Counts turns: the arena's data of earlier ones is gone. */
  turn = 0;
}

/** Slots of the string table. */
const SLOTS = 1 << 11;
/** Bytes of the longest string in it. */
const LONGEST = 40;

const strings: string[] = new Array<string>(SLOTS).fill("");

type Decode = (this: Uint8Array, start: number, end: number) => string;

/**
 * The function behind `Buffer`'s `toString("latin1")`, looked up on first use: Deno then loads it.
 */
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
 * Decodes bytes as latin-1 (RFC 9110 section 5.5). The same short texts recur, and
 * a decoder costs more than looking them up: the table is bounded, a text with the same hash
 * takes over the slot.
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
