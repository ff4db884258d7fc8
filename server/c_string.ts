/**
 * C strings, and the sizes of those that the library writes.
 *
 * @module
 */

/** `BJ_ERROR_SIZE`. */
export const ERROR_SIZE = 256;
/** `BJ_ADDRESS_SIZE`. */
export const ADDRESS_SIZE = 128;
/** `BJ_PATH_SIZE`. */
export const PATH_SIZE = 4096;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads a string, without its NUL. */
export function cString(memory: Uint8Array): string {
  return decoder.decode(memory.subarray(0, memory.indexOf(0)));
}

/** Writes a string with its NUL; it must not contain any. */
export function toCString(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}
