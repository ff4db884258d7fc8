/**
 * Server metrics.
 *
 * @module
 */
import { COUNTERS, DURATIONS } from "./records.ts";

/** A histogram of observations. */
export interface Histogram {
  /** Upper bounds of the buckets, ascending; one more bucket has what is above the last. */
  readonly bounds: readonly number[];
  /** Observations per bucket: one more than `bounds`. */
  readonly counts: readonly number[];
  /** Sum of all observations. */
  readonly sum: number;
}

/** A server's counters: bjoern's, by their statsd names with `_` for `.`, and more. */
export interface Metrics {
  /** Failures of `accept(2)`. */
  readonly conn_accept_error: number;
  /** Connections accepted. */
  readonly conn_accept_success: number;
  /** Clients that left in the middle of a request. */
  readonly req_error_client_disconnected: number;
  /** Connections that broke in the middle of a request. */
  readonly req_error_read: number;
  /** Requests refused by the server itself. */
  readonly req_error_parse: number;
  /** Requests whose handler failed. */
  readonly req_error_internal: number;
  /** Requests read to their end. */
  readonly req_success_read: number;
  /** Reads that did not complete a request. */
  readonly req_active: number;
  /** Requests read to their end, or refused. */
  readonly req_done: number;
  /** Requests not completed by the client. */
  readonly req_aborted: number;
  /** Parts of responses that did not complete them. */
  readonly resp_active: number;
  /** Completed responses. */
  readonly resp_done: number;
  /** Of these: those after which the connection stays open. */
  readonly resp_done_keepalive: number;
  /** Of these: those after which the connection is closed. */
  readonly resp_conn_close: number;
  /** Responses that were cut short. */
  readonly resp_aborted: number;
  /** Currently open connections. */
  readonly connections_open: number;
  /** Requests not answered yet. */
  readonly requests_in_flight: number;
  /** Bytes read from clients. */
  readonly bytes_received: number;
  /** Bytes written to clients. */
  readonly bytes_sent: number;
  /** Timeouts in the middle of a request or response. */
  readonly timeouts: number;
  /** Connections closed for lack of a PROXY header from a permitted sender. */
  readonly conn_proxy_error: number;
  /** Bytes that the library currently buffers for connections: see `maxBufferedSize`. */
  readonly bytes_buffered: number;
  /** Connections closed because they held too much of that. */
  readonly conn_shed: number;
  /** Seconds from the end of a request's head to the end of its response. */
  readonly request_duration_seconds: Histogram;
}

/** Reads the library's counters. */
export function readMetrics(counters: Float64Array): Metrics {
  const plain = COUNTERS.slice(0, COUNTERS.indexOf("duration_sum"));
  return {
    ...Object.fromEntries(plain.map((name, i) => [name, counters[i]])),
    request_duration_seconds: {
      bounds: DURATIONS.map((milliseconds) => milliseconds / 1000),
      counts: [...counters.subarray(COUNTERS.indexOf("duration"))],
      sum: counters[COUNTERS.indexOf("duration_sum")] / 1e6,
    },
  } as unknown as Metrics;
}

/** The size of the library's counters in words. */
export const COUNTER_WORDS: number = COUNTERS.length + DURATIONS.length;
