import { Buffer } from "node:buffer";

/** Octets that belong to one name and no other one: an answer's, a body's, a file's. */
export function pattern(name: string, size: number): Buffer {
  return Buffer.alloc(size, `${name};`);
}
