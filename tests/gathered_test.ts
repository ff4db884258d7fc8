import assert from "node:assert/strict";
import { test } from "node:test";
import { copyOf, Gathered, uncleared } from "../server/gathered.ts";

const parts = (size: number, of: number) =>
  Array.from({ length: Math.ceil(size / of) }, (_, i) => {
    const part = new Uint8Array(Math.min(of, size - i * of));
    return part.fill(i % 251);
  });

function gather(all: Uint8Array[], expected: number | undefined): Uint8Array {
  const gathered = new Gathered(expected);
  all.forEach((part) => gathered.add(part));
  return gathered.take();
}

for (const size of [0, 1, 100, 16384, 16385, 1_000_000, 3_000_000]) {
  test(`${size} bytes in parts are joined, in memory of their own`, () => {
    for (const each of [size || 1, 1000, 65536]) {
      const all = parts(size, each);
      const right = new Uint8Array(all.flatMap((part) => [...part]));
      for (const expected of [undefined, size, size + 10, Math.floor(size / 2)]) {
        const got = gather(all, expected);
        assert.equal(got.length, size);
        assert.equal(got.buffer.byteLength, size, "the buffer shows nothing else");
        assert.deepEqual(got, right);
      }
    }
  });
}

test("room is filled in place", () => {
  const gathered = new Gathered(10);
  gathered.room(4).set([1, 2, 3, 4]);
  gathered.fill(3);
  gathered.room(7).fill(5);
  gathered.fill(7);
  assert.deepEqual([...gathered.take()], [1, 2, 3, 5, 5, 5, 5, 5, 5, 5]);
});

test("memory is not allocated for the announced length", () => {
  const gathered = new Gathered(2 ** 40);
  gathered.add(new Uint8Array(10));
  assert.ok(gathered.room(1).buffer.byteLength <= 2 ** 20);
});

test("uncleared memory and copies share no buffer", () => {
  for (const size of [0, 1, 4095, 4096, 100_000]) {
    assert.equal(uncleared(size).buffer.byteLength, size);
    const bytes = new Uint8Array(size + 2).fill(7);
    const copy = copyOf(bytes.subarray(1, size + 1));
    assert.equal(copy.buffer.byteLength, size);
    assert.ok(copy.every((byte) => byte === 7) && copy.length === size);
  }
});
