/**
 * Server metrics in Prometheus' format.
 *
 * @module
 */
import { refuseUnknown } from "../server/checks.ts";
import type { Histogram, Metrics } from "../server/metrics.ts";

/** Metrics by name, as returned by {@linkcode Server.metrics}. */
export type Snapshot = Metrics | Readonly<Record<string, number | Histogram>>;

/** Metrics of each worker by its number, as returned by {@linkcode Supervisor.metrics}. */
export type Workers = ReadonlyMap<number, Metrics>;

/** Options of {@linkcode metricsPage} and {@linkcode toPrometheus}. */
export interface MetricsOptions {
  /**
   * Prefix of each name.
   *
   * @default {"bjoern_"}
   */
  prefix?: string;
  /** Labels of every sample, such as `{ server: "api" }`. */
  labels?: Readonly<Record<string, string>>;
}

/** The text exposition format, version 0.0.4. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Gauges; all others are counters, and named so. */
const GAUGES = new Set(["connections_open", "requests_in_flight", "bytes_buffered"]);

const HELP: Record<string, string> = {
  conn_accept_error: "Failures to accept a connection.",
  conn_accept_success: "Connections accepted.",
  req_error_client_disconnected: "Clients that left in the middle of a request.",
  req_error_read: "Connections that broke in the middle of a request.",
  req_error_parse: "Requests refused by the server itself.",
  req_error_internal: "Requests whose handler failed.",
  req_success_read: "Requests read to their end.",
  req_active: "Reads that did not complete a request.",
  req_done: "Requests read to their end, or refused.",
  req_aborted: "Requests not completed by the client.",
  resp_active: "Parts of responses that did not complete them.",
  resp_done: "Completed responses.",
  resp_done_keepalive: "Completed responses after which the connection stays open.",
  resp_conn_close: "Completed responses after which the connection is closed.",
  resp_aborted: "Responses that were cut short.",
  connections_open: "Currently open connections.",
  requests_in_flight: "Requests not answered yet.",
  bytes_received: "Bytes read from clients.",
  bytes_sent: "Bytes written to clients.",
  timeouts: "Timeouts in the middle of a request or response.",
  conn_proxy_error: "Connections closed for lack of a PROXY header.",
  bytes_buffered: "Bytes currently buffered for connections.",
  conn_shed: "Connections closed because they buffered too much.",
  request_duration_seconds: "Time from the end of a request's head to the end of its response.",
};

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

function checkOptions(options: MetricsOptions): Required<MetricsOptions> {
  refuseUnknown(options, ["prefix", "labels"], "of metrics ");
  const { prefix = "bjoern_", labels = {} } = options;
  if (!NAME.test(`${prefix}x`)) {
    throw new TypeError(`No metric's name can begin with "${prefix}"`);
  }
  for (const label of Object.keys(labels)) {
    if (!LABEL.test(label) || label === "le") {
      throw new TypeError(`No label can be named "${label}"`);
    }
  }
  return { prefix, labels };
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function labelled(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function showNumber(value: number): string {
  if (Number.isFinite(value)) {
    return String(value);
  }
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function histogram(name: string, { bounds, counts, sum }: Histogram, labels: object): string[] {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    const le = showNumber(bounds[i] ?? Infinity);
    return `${name}_bucket${labelled({ ...labels, le })} ${showNumber(total)}`;
  });
  const all = labelled({ ...labels });
  return [...buckets, `${name}_sum${all} ${showNumber(sum)}`, `${name}_count${all} ${total}`];
}

/** A snapshot and its labels. */
type Labelled = [labels: Readonly<Record<string, string>>, metrics: Snapshot];

function family(key: string, all: Labelled[], prefix: string): string[] {
  const values = all.map(([labels, metrics]) =>
    [labels, (metrics as Record<string, number | Histogram>)[key]] as const
  ).filter(([, value]) => value !== undefined);
  const isGauge = GAUGES.has(key);
  const isNumber = typeof values[0][1] === "number";
  const suffix = isGauge || !isNumber || key.endsWith("_total") ? "" : "_total";
  const name = prefix + key.replace(/[^a-zA-Z0-9_:]/g, "_") + suffix;
  const type = isGauge ? "gauge" : isNumber ? "counter" : "histogram";
  return [
    ...(HELP[key] === undefined ? [] : [`# HELP ${name} ${HELP[key]}`]),
    `# TYPE ${name} ${type}`,
    ...values.flatMap(([labels, value]) =>
      typeof value === "number"
        ? [`${name}${labelled(labels)} ${showNumber(value)}`]
        : histogram(name, value, labels)
    ),
  ];
}

/** The format requires all samples of a metric to be together. */
function page(all: Labelled[], prefix: string): string {
  const keys = new Set(all.flatMap(([, metrics]) => Object.keys(metrics)));
  const lines = [...keys].flatMap((key) => family(key, all, prefix));
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * Formats metrics in Prometheus' text exposition format.
 *
 * @throws {TypeError} If an option is unknown, or the prefix or a label is invalid in Prometheus.
 *
 * @example
 * ```ts
 * import { toPrometheus } from "@x/bjoern/contrib/metrics";
 *
 * console.log(toPrometheus({ connections_open: 3 }));
 * ```
 */
export function toPrometheus(metrics: Snapshot, options: MetricsOptions = {}): string {
  const { prefix, labels } = checkOptions(options);
  return page([[labels, metrics]], prefix);
}

/** The metrics of one process, or of each worker by its number. */
function labelledAll(metrics: Snapshot | Workers, labels: Required<MetricsOptions>["labels"]) {
  return metrics instanceof Map
    ? [...metrics].map(([number, own]): Labelled => [{ ...labels, worker: `${number}` }, own])
    : [[labels, metrics as Snapshot] satisfies Labelled];
}

/**
 * Creates a handler that returns a server's metrics, for Prometheus to scrape. Those of a
 * {@linkcode Supervisor}'s workers have an additional label `worker`, its number.
 *
 * @param server An object with the metrics: the server, which may start after the handler is
 * created.
 * @throws {TypeError} If an option is unknown, or the prefix or a label is invalid in Prometheus.
 *
 * @example
 * ```ts
 * import { run, type Server } from "@x/bjoern";
 * import { metricsPage } from "@x/bjoern/contrib/metrics";
 *
 * const page = metricsPage({ metrics: () => server.metrics() });
 * const server: Server = run(
 *   (request) => new URL(request.url).pathname === "/metrics" ? page() : "Hello",
 *   { port: 0 },
 * );
 * console.log(await (await fetch(new URL("/metrics", server.url))).text());
 * await server.shutdown();
 * ```
 */
export function metricsPage(
  server: { metrics(): Snapshot | Promise<Workers> },
  options: MetricsOptions = {},
): () => Promise<Response> {
  const { prefix, labels } = checkOptions(options);
  return async () => {
    const all = labelledAll(await server.metrics(), labels);
    return new Response(page(all, prefix), { headers: { "content-type": CONTENT_TYPE } });
  };
}
