// Streams for many clients at once: the parts of each arrive in order and complete, whatever others
// send in between and however much is handed over together.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { octets, open, serve } from "./support/client.ts";

/** Parts that identify their stream and position. */
function parts(seed: number, sizes: number[]): Uint8Array<ArrayBuffer>[] {
  return sizes.map((size, part) =>
    Uint8Array.from({ length: size }, (_, i) => (seed * 31 + part * 7 + i) % 251)
  );
}

/** A stream that makes each part on demand. */
function streamOf(list: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next === list.length) {
        controller.close();
      } else {
        controller.enqueue(list[next++]);
      }
    },
  });
}

/** Lets `clients` read such streams at the same time, with and without a Content-Length. */
function assertStreams(clients: number, sizesOf: (client: number) => number[]): Promise<void> {
  return serve((request) => {
    const client = Number(new URL(request.url).pathname.slice(1));
    const list = parts(client, sizesOf(client));
    const length = String(Buffer.concat(list).length);
    const headers: HeadersInit = client % 2 === 0 ? {} : { "content-length": length };
    return new Response(streamOf(list), { headers });
  }, async (server) => {
    await Promise.all(Array.from({ length: clients }, async (_, client) => {
      const connection = await open(server);
      const request = octets({ target: `/${client}` }, "");
      connection.write(Buffer.concat([request, request]));
      for (let i = 0; i < 2; i++) {
        const { body } = await connection.answer();
        const expected = Buffer.concat(parts(client, sizesOf(client)));
        assert.ok(body.equals(expected), `client ${client}: ${body.length} of ${expected.length}`);
      }
      connection.close();
    }));
  });
}

describe("streams that take turns", () => {
  test("of small parts", () => assertStreams(40, () => Array(120).fill(1000)));

  test("of parts as large as the room for them, and around it", () =>
    assertStreams(8, () => [1, 15_999, 16_000, 16_001, 1, 15_999, 1, 16_383, 16_384, 16_385, 3]));

  test("of parts of all sizes", () =>
    assertStreams(
      30,
      (client) => Array.from({ length: 60 }, (_, part) => (client * 7919 + part * 104_729) % 9973),
    ));

  test("of parts larger than the shared memory", () =>
    assertStreams(6, (client) => [10, 300_000 + client, 20, 1_200_000, 30, 0, 262_144, 262_145]));

  test("of more parts than commands fit", () => assertStreams(100, () => Array(50).fill(3)));
});
