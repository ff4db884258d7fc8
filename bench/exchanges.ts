// The request of each case and the expected answer.
import { Buffer } from "node:buffer";
import type { Answer, Exchange } from "./exchange.ts";
import { bytes, chunk, CHUNKS, EVENT, record, text } from "./handlers/data.ts";

const plain = (body: string): Answer => ({ type: "text/plain", body });
const json = (value: unknown): Answer => ({
  type: "application/json",
  body: JSON.stringify(value),
});
const binary = (body: Uint8Array): Answer => ({ type: "application/octet-stream", body });

const hello: Exchange = { path: "/", answer: plain("Hello, World!") };

/** The header fields that Chrome sends. */
const browser: [string, string][] = [
  ["Connection", "keep-alive"],
  ["sec-ch-ua", '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'],
  ["sec-ch-ua-mobile", "?0"],
  [
    "User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  ],
  ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"],
  ["Sec-Fetch-Site", "same-origin"],
  ["Sec-Fetch-Mode", "navigate"],
  ["Sec-Fetch-Dest", "document"],
  ["Referer", "http://127.0.0.1/articles/2026/11/"],
  ["Accept-Language", "sv-SE,sv;q=0.9,en;q=0.8"],
  ["Cookie", "session=9f86d081884c7d659a2feaa0c55ad015; theme=dark"],
];

/** A JSON body of about 1 KiB. */
const order = JSON.stringify({
  id: 1,
  lines: Array.from({ length: 10 }, (_, i) => ({
    article: `A-${1000 + i}`,
    title: "Smoked reindeer, sliced, 120 g, from the north",
    price: 79.5 + i,
    count: i + 1,
  })),
});
const large = bytes(64 * 1024);
const upload = new Uint8Array(8 * 1024 * 1024).fill(120);

const post = (body: Uint8Array, type: string, answer: Answer): Exchange => ({
  method: "POST",
  path: "/",
  fields: [["Content-Type", type]],
  body,
  answer,
});

/** By handler; Hono's app has two, one per route. */
export const exchanges = {
  plaintext: hello,
  promise: hello,
  macrotask: hello,
  json: { path: "/", answer: json(record()) },
  // Twelve fields with Host.
  headers: {
    path: "/",
    fields: browser,
    answer: plain(`${browser[9][1]} ${browser[6][1]} ${browser[10][1]}`),
  },
  query: { path: "/search?name=Bj%C3%B6rn+B&page=12&sort=asc", answer: plain("Björn B 12") },
  "echo-json": post(Buffer.from(order), "application/json", {
    type: "application/json",
    body: order,
  }),
  "echo-bytes": post(large, "application/octet-stream", binary(large)),
  upload: post(upload, "application/octet-stream", plain(`${upload.length}`)),
  "text-10k": { path: "/", answer: plain(text(10 * 1024)) },
  "bytes-10k": { path: "/", answer: binary(bytes(10 * 1024)) },
  "text-1m": { path: "/", answer: plain(text(1024 * 1024)) },
  "bytes-1m": { path: "/", answer: binary(bytes(1024 * 1024)) },
  "file-1m": { path: "/", answer: binary(bytes(1 << 20)) },
  "file-100m": {
    path: "/",
    answer: {
      type: "application/octet-stream",
      // 100 MiB: built only when it is needed.
      get body(): Uint8Array {
        return Buffer.concat(Array(100).fill(bytes(1 << 20)));
      },
    },
  },
  stream: { path: "/", answer: binary(Buffer.concat(Array(CHUNKS).fill(chunk))) },
  sse: { path: "/", answer: { type: "text/event-stream", body: EVENT } },
  "hono-text": { path: "/", answer: plain("Hello, Hono!") },
  "hono-json": { path: "/hello/world", answer: json({ hello: "world" }) },
} satisfies Record<string, Exchange>;
