// node:http in Node, with each handler rewritten for its API.
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable } from "node:stream";
import { bytes, chunk, CHUNKS, EVENT, record, text } from "../handlers/data.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function send(response: ServerResponse, type: string, body: string | Uint8Array): void {
  const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  response.writeHead(200, { "content-type": type, "content-length": size }).end(body);
}

const plain = (response: ServerResponse, body: string) =>
  send(response, "text/plain;charset=utf-8", body);

async function whole(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const fixed = (type: string, body: string | Uint8Array): Handler => (_, response) =>
  send(response, type, body);

const handlers: Record<string, Handler> = {
  plaintext: (_, response) => plain(response, "Hello, World!"),
  promise: async (_, response) => {
    await Promise.resolve();
    plain(response, "Hello, World!");
  },
  macrotask: (_, response) => void setImmediate(() => plain(response, "Hello, World!")),
  json: (_, response) => send(response, "application/json", JSON.stringify(record())),
  headers: ({ headers }, response) =>
    plain(response, `${headers["accept-language"]} ${headers["sec-fetch-mode"]} ${headers.cookie}`),
  query: ({ url }, response) => {
    const { searchParams } = new URL(url!, "http://127.0.0.1");
    plain(response, `${searchParams.get("name")} ${searchParams.get("page")}`);
  },
  "echo-json": async (request, response) => {
    const value: unknown = JSON.parse((await whole(request)).toString());
    send(response, "application/json", JSON.stringify(value));
  },
  "echo-bytes": async (request, response) =>
    send(response, "application/octet-stream", await whole(request)),
  upload: async (request, response) => {
    let size = 0;
    for await (const part of request) {
      size += part.length;
    }
    plain(response, String(size));
  },
  "text-10k": fixed("text/plain;charset=utf-8", text(10 * 1024)),
  "bytes-10k": fixed("application/octet-stream", bytes(10 * 1024)),
  "text-1m": fixed("text/plain;charset=utf-8", text(1024 * 1024)),
  "bytes-1m": fixed("application/octet-stream", bytes(1024 * 1024)),
  stream: (_, response) => {
    response.setHeader("content-type", "application/octet-stream");
    Readable.from(Array(CHUNKS).fill(chunk)).pipe(response);
  },
  sse: (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(EVENT);
    const timer = setInterval(() => response.write(EVENT), 1000);
    response.on("close", () => clearInterval(timer));
  },
};

const [name, seconds] = process.argv.slice(2);
const settings = seconds ? { keepAliveTimeout: Number(seconds) * 1000 } : {};
const server = createServer(settings, handlers[name]);
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
