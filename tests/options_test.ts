// Unknown option names are refused everywhere: most likely they are misspelt.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { accessLog } from "../contrib/log.ts";
import { compress } from "../contrib/compress.ts";
import { deleteCookie, setCookie } from "../contrib/cookies.ts";
import { environ } from "../contrib/environ.ts";
import { metricsPage, toPrometheus } from "../contrib/metrics.ts";
import { router } from "../contrib/router.ts";
import { serveStatic } from "../contrib/static.ts";
import { bindAndListen, listen, OpenFile, run, sendFile, serverRun } from "../mod.ts";

const app = () => "";
const server = { metrics: () => ({}) };
const headers = new Headers();
type Any = object & never;

const unknown: [name: string, use: (options: Any) => unknown][] = [
  ["run()", (options) => run(app, options)],
  ["run() with workers", (options) => run(app, { workers: options })],
  ["statsd", (statsd) => run(app, { statsd })],
  ["listen()", (options) => listen(app, options)],
  ["serverRun()", (options) => serverRun(99, app, options)],
  ["bindAndListen()", (options) => bindAndListen("127.0.0.1", 0, options)],
  ["sendFile()", (options) => sendFile(process.execPath, options)],
  ["accessLog()", (options) => accessLog(app, options)],
  ["compress()", (options) => compress(app, options)],
  ["environ()", (options) => environ(() => [], options)],
  ["router()", (options) => router({}, options)],
  ["serveStatic()", (options) => serveStatic(".", options)],
  ["metricsPage()", (options) => metricsPage(server, options)],
  ["toPrometheus()", (options) => toPrometheus({}, options)],
  ["setCookie()", (options) => setCookie(headers, "a", "b", options)],
  ["deleteCookie()", (options) => deleteCookie(headers, "a", options)],
];
for (const [name, use] of unknown) {
  test(`an unknown option of ${name} is refused by name`, () => {
    assert.throws(() => use({ nonsense: 1 } as Any), { name: "TypeError", message: /nonsense/ });
    assert.equal(headers.has("set-cookie"), false);
  });
}

const wrong: [name: string, use: () => unknown, error: string][] = [
  ["charset", () => environ(() => [], { charset: "utf8" as "utf-8" }), "TypeError"],
  ["threshold", () => compress(app, { threshold: "1k" as never }), "TypeError"],
  ["threshold", () => compress(app, { threshold: -1 }), "RangeError"],
  ["filter", () => compress(app, { filter: true as never }), "TypeError"],
  ["host", () => serverRun(99, app, { host: "::1" }), "TypeError"],
  ["port", () => serverRun(99, app, { port: 80 }), "TypeError"],
  ["maxHeadSize", () => bindAndListen("::1", 0, { maxHeadSize: 1 } as Any), "TypeError"],
  ["descriptor", () => OpenFile.adopt(-1), "TypeError"],
];
for (const [name, use, error] of wrong) {
  test(`an invalid ${name} is a ${error}`, () => {
    assert.throws(use, { name: error, message: new RegExp(name) });
  });
}

test("a stream of an invalid part is refused at once", () => {
  const file = OpenFile.open(process.execPath);
  for (const [offset, length] of [[-5, 1], [0, 1e12], [0.5, 1]]) {
    assert.throws(() => file.stream(offset, length), RangeError);
  }
  file.close();
});
