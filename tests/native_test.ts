// What the runtimes keep where the public way is slower. Without it everything works all the same, so
// that nobody would notice but by the clock.
import assert from "node:assert/strict";
import { test } from "node:test";
import { native } from "../ffi/native.ts";

test("the bytes of a response are there at once", () => {
  const bytes = native.bytesOf(new Response(Uint8Array.of(1, 2, 3)));
  assert.ok(bytes instanceof Uint8Array);
  assert.deepEqual([...bytes], [1, 2, 3]);
});

test("the fields of a response are there as they were given", () => {
  const headers = new Headers([["x-b", "1"], ["x-a", "2"]]);
  const fields = native.fieldsOf(headers);
  assert.notEqual(fields, headers);
  assert.deepEqual(
    new Map(fields as Iterable<[string, string]>),
    new Map([["x-b", "1"], ["x-a", "2"]]),
  );
});
