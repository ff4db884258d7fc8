// Metrics as a page in the Prometheus text format.
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import {
  type MetricsOptions,
  metricsPage,
  type Snapshot,
  toPrometheus,
} from "../contrib/metrics.ts";
import { run, type Server } from "../mod.ts";
import { runFile } from "./support/child.ts";
import { ask, quiet } from "./support/client.ts";

/** Parses the format: every line must be a comment or a sample of a family declared before. */
function parse(page: string): Map<string, { type: string; samples: Map<string, number> }> {
  const families = new Map<string, { type: string; samples: Map<string, number> }>();
  assert.ok(page === "" || page.endsWith("\n"));
  for (const line of page.split("\n").slice(0, -1)) {
    const [, name, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (name !== undefined) {
      assert.ok(!families.has(name), `${name} is announced twice`);
      families.set(name, { type, samples: new Map() });
    } else if (!/^# HELP [a-z_]+ \S/.test(line)) {
      const [, sample, labels = "", value] =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^{}]*\})? (\+Inf|[-+.e\d]+)$/.exec(line) ??
          assert.fail(`No sample: ${line}`);
      const family = families.get(sample) ??
        families.get(sample.replace(/_(bucket|sum|count)$/, ""));
      assert.ok(family !== undefined, `${sample} is not announced`);
      family.samples.set(sample + labels, Number(value.replace("+Inf", "Infinity")));
    }
  }
  return families;
}

test("the page has every counter of the server", async () => {
  const page = metricsPage({ metrics: () => server.metrics() });
  const server: Server = run(
    (request) => new URL(request.url).pathname === "/metrics" ? page() : "hello",
    { port: 0 },
  );
  try {
    await ask(server);
    const answer = await ask(server, { target: "/metrics" });
    assert.equal(answer.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const families = parse(answer.text);
    assert.ok(families.size >= Object.keys(server.metrics()).length);
    const value = (name: string) => families.get(name)?.samples.get(name);
    assert.equal(value("bjoern_conn_accept_success_total"), 2);
    assert.equal(value("bjoern_req_success_read_total"), 2);
    assert.equal(families.get("bjoern_connections_open")?.type, "gauge");
    assert.equal(families.get("bjoern_req_success_read_total")?.type, "counter");
    assert.ok(value("bjoern_bytes_sent_total")! > 0);
    await quiet(server);
  } finally {
    server.stop();
  }
});

test("a supervisor's page has the counters of each worker that reports them", async () => {
  await using child = runFile("metrics_app.ts");
  const [port, watcher] = (await child.line()).split(" ").map((port) => ({ port: Number(port) }));
  const answered = new Map<number, number>(); // by process
  while (answered.size < 2) {
    const pid = Number((await ask(port)).text);
    answered.set(pid, (answered.get(pid) ?? 0) + 1);
  }
  const read = async () => {
    const families = parse((await ask(watcher)).text);
    const { samples } = families.get("bjoern_req_success_read_total")!;
    assert.ok(families.get("bjoern_request_duration_seconds")!.samples.size > 2 * samples.size);
    return samples;
  };
  const samples = await read();
  const of = (worker: number) => `bjoern_req_success_read_total{app="a",worker="${worker}"}`;
  assert.deepEqual([...samples.keys()], [of(1), of(2)]);
  assert.deepEqual([...samples.values()].sort(), [...answered.values()].sort());

  const [stuck] = answered.keys();
  process.kill(stuck, "SIGSTOP");
  try {
    assert.equal((await read()).size, 1);
  } finally {
    process.kill(stuck, "SIGCONT");
  }
  assert.equal((await read()).size, 2);
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
});

test("workers of two versions may have different counters", async () => {
  const histogram = { bounds: [1], counts: [1, 2], sum: 3 };
  const all = new Map([[1, { a: 1 }], [2, { a: 2, b: 3, c: histogram }]]);
  const page = metricsPage({ metrics: () => Promise.resolve(all as never) });
  const families = parse(await (await page()).text());
  assert.deepEqual([...families.keys()], ["bjoern_a_total", "bjoern_b_total", "bjoern_c"]);
  assert.equal(families.get("bjoern_a_total")!.samples.size, 2);
  assert.equal(families.get("bjoern_b_total")!.samples.size, 1);
});

describe("toPrometheus()", () => {
  const rows: [name: string, metrics: Snapshot, options: MetricsOptions, page: string][] = [
    ["nothing is an empty page", {}, {}, ""],
    [
      "names of counters end in _total",
      { things: 1, more_total: 2 },
      {},
      "# TYPE bjoern_things_total counter\nbjoern_things_total 1\n" +
      "# TYPE bjoern_more_total counter\nbjoern_more_total 2\n",
    ],
    [
      "labels are escaped",
      { a: 1 },
      { prefix: "", labels: { x: 'a"b\\c\nd', y: "1" } },
      '# TYPE a_total counter\na_total{x="a\\"b\\\\c\\nd",y="1"} 1\n',
    ],
    [
      "names have only valid characters",
      { "a.b-c": 1.5e21 },
      { prefix: "p:" },
      "# TYPE p:a_b_c_total counter\np:a_b_c_total 1.5e+21\n",
    ],
    [
      "a histogram has cumulative buckets, sum and count",
      { latency_seconds: { bounds: [0.001, 0.01], counts: [3, 2, 1], sum: 0.5 } },
      { labels: { s: "1" } },
      "# TYPE bjoern_latency_seconds histogram\n" +
      'bjoern_latency_seconds_bucket{s="1",le="0.001"} 3\n' +
      'bjoern_latency_seconds_bucket{s="1",le="0.01"} 5\n' +
      'bjoern_latency_seconds_bucket{s="1",le="+Inf"} 6\n' +
      'bjoern_latency_seconds_sum{s="1"} 0.5\n' +
      'bjoern_latency_seconds_count{s="1"} 6\n',
    ],
  ];
  for (const [name, metrics, options, page] of rows) {
    test(name, () => {
      assert.equal(toPrometheus(metrics, options), page);
      if (!name.includes("escaped")) {
        parse(page);
      }
    });
  }

  test("refuses names and labels that would break the page", () => {
    const server = { metrics: () => ({}) };
    assert.throws(() => metricsPage(server, { prefix: "1" }), TypeError);
    assert.throws(() => metricsPage(server, { labels: { "a-b": "" } }), TypeError);
    assert.throws(() => metricsPage(server, { labels: { le: "" } }), TypeError);
    assert.throws(() => metricsPage(server, { labels: { __x: "" } }), TypeError);
  });
});
