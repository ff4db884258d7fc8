// A soak fails when memory grows: growth must be told from fluctuation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trendOf } from "./soak/trend.ts";

const MOVES = 50;

/** Memory that fluctuates, and grows by `growth` from each point to the next. */
function points(growth: number): { x: number; y: number }[] {
  return Array.from({ length: 120 }, (_, x) => ({
    x,
    y: 1000 + growth * x + MOVES * (Math.sin(x) + Math.sin(x / 7)) / 2,
  }));
}

test("memory that only fluctuates is not reported as growing", () => {
  const { slope, margin } = trendOf(points(0));
  assert.ok(slope - margin < 0, `${slope} ± ${margin}`);
  assert.ok(slope + margin > 0, `${slope} ± ${margin}`);
});

test("memory that grows as much as it fluctuates is reported as growing", () => {
  const growth = 2 * MOVES / 120;
  const { slope, margin } = trendOf(points(growth));
  assert.ok(slope - margin > 0, `${slope} ± ${margin}`);
  assert.ok(Math.abs(slope - growth) < margin, `${slope} ± ${margin}`);
});

test("a few points prove nothing", () => {
  assert.equal(trendOf(points(1).slice(0, 5)).margin, Infinity);
});
