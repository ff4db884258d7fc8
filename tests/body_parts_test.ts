// Parts of a body that are kept until it is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Body } from "../server/body.ts";

const COUNT = 300_000;
const source = { length: undefined, consume() {}, read: () => 0 };
const octets = Uint8Array.from({ length: COUNT }, (_, i) => i % 251);

/** A body that has received `sizes` bytes at a time. */
function bodyOf(...sizes: number[]): Body {
  const body = new Body(source, octets.subarray(0, 10), false);
  for (let at = 10, i = 0; at < COUNT; i++) {
    const end = Math.min(at + sizes[i % sizes.length], COUNT);
    body.push(octets.subarray(at, end), end === COUNT);
    at = end;
  }
  return body;
}

for (const sizes of [[1], [1, 7, 1000], [16384, 3], [1, 70_000], [16383, 1, 1]]) {
  test(`parts of ${sizes} bytes are merged into a few, each in memory of its own`, async () => {
    const parts: Uint8Array[] = [];
    for await (const part of bodyOf(...sizes).stream) {
      assert.equal(part.buffer.byteLength, part.length);
      parts.push(part);
    }
    assert.ok(parts.length <= 60, `${parts.length} parts`);
    assert.deepEqual(Uint8Array.from(parts.flatMap((part) => [...part])), octets);
  });

  test(`parts of ${sizes} bytes, read as they arrive`, async () => {
    const body = new Body(source, new Uint8Array(), false);
    const reader = body.stream.getReader();
    let read = 0;
    for (let at = 0, i = 0; at < COUNT / 30; i++) {
      const end = at + sizes[i % sizes.length];
      body.push(octets.subarray(at, end), false);
      if (i % 3 === 0) {
        const { value } = await reader.read();
        assert.deepEqual(value, octets.slice(read, read + value!.length));
        read += value!.length;
      }
      at = end;
    }
    assert.ok(read > 0);
  });

  test(`parts of ${sizes} bytes, read as a whole`, async () => {
    assert.deepEqual(await bodyOf(...sizes).bytes(), octets);
  });
}
