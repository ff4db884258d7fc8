// Internals of the runtimes that are faster than the public API. Everything works without them,
// too, so their loss would only show in benchmarks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { native } from "../ffi/native.ts";

test("the bytes of a response are available at once", () => {
  const bytes = native.bytesOf(new Response(Uint8Array.of(1, 2, 3)));
  assert.ok(bytes instanceof Uint8Array);
  assert.deepEqual([...bytes], [1, 2, 3]);
});

test("the fields of a response are available as given", () => {
  const headers = new Headers([["x-b", "1"], ["x-a", "2"]]);
  const fields = native.fieldsOf(headers);
  assert.notEqual(fields, headers);
  assert.deepEqual(
    new Map(fields as Iterable<[string, string]>),
    new Map([["x-b", "1"], ["x-a", "2"]]),
  );
});
