// A request and the expected answer.
import { Buffer } from "node:buffer";

/** What a case sends and the answer it expects. */
export interface Exchange {
  /** GET by default. */
  method?: string;
  /** The request target. */
  path: string;
  /** Fields besides Host and Content-Length. */
  fields?: [name: string, value: string][];
  /** The request's body. */
  body?: Uint8Array;
  /** The expected answer. */
  answer: Answer;
}

/** The answer that a contestant must give. */
export interface Answer {
  /** The media type without parameters. */
  type: string;
  /** The whole body, or how it begins if it never ends. */
  body: string | Uint8Array;
}

/** The octets of the request, repeated `count` times. */
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
