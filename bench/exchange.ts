// A request and the answer that it must get.
import { Buffer } from "node:buffer";

/** What a case sends, and what it must get back. */
export interface Exchange {
  /** By default GET. */
  method?: string;
  /** The request target. */
  path: string;
  /** Fields beside Host and Content-Length. */
  fields?: [name: string, value: string][];
  /** The request's body. */
  body?: Uint8Array;
  /** The right answer. */
  answer: Answer;
}

/** What a contestant must say. */
export interface Answer {
  /** The media type without its parameters. */
  type: string;
  /** The whole body, or how it begins where it never ends. */
  body: string | Uint8Array;
}

/** The request as it is sent, `count` times over. */
export function octets({ method = "GET", path, fields = [], body }: Exchange, count = 1): Buffer {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(body ? [`Content-Length: ${body.length}`] : []),
  ];
  const request = Buffer.concat([
    Buffer.from(`${lines.join("\r\n")}\r\n\r\n`),
    body ?? Buffer.alloc(0),
  ]);
  return Buffer.concat(Array<Buffer>(count).fill(request));
}
