// A soak fails when memory grows: that is to be told from memory that only moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trendOf } from "./soak/trend.ts";

const MOVES = 50;

/** Memory in waves, which grows by `growth` from each point to the next. */
function points(growth: number): { x: number; y: number }[] {
  return Array.from({ length: 120 }, (_, x) => ({
    x,
    y: 1000 + growth * x + MOVES * (Math.sin(x) + Math.sin(x / 7)) / 2,
  }));
}

test("memory that moves without growing is not said to grow", () => {
  const { slope, margin } = trendOf(points(0));
  assert.ok(slope - margin < 0, `${slope} ± ${margin}`);
  assert.ok(slope + margin > 0, `${slope} ± ${margin}`);
});

test("memory that grows by what it moves is said to grow", () => {
  const growth = 2 * MOVES / 120;
  const { slope, margin } = trendOf(points(growth));
  assert.ok(slope - margin > 0, `${slope} ± ${margin}`);
  assert.ok(Math.abs(slope - growth) < margin, `${slope} ± ${margin}`);
});

test("a few points tell nothing", () => {
  assert.equal(trendOf(points(1).slice(0, 5)).margin, Infinity);
});
