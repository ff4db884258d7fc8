import { Buffer } from "node:buffer";

/** Octets that are unique to a name: for an answer, a body or a file. */
export function pattern(name: string, size: number): Buffer {
  return Buffer.alloc(size, `${name};`);
}
