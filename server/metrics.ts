/**
 * What a server has counted.
 *
 * @module
 */
import { COUNTERS, DURATIONS } from "./records.ts";

/** How observations are spread. */
export interface Histogram {
  /** Upper bounds of the classes, ascending; one more class has what is above the last. */
  readonly bounds: readonly number[];
  /** Observations by class: one more than `bounds`. */
  readonly counts: readonly number[];
  /** Sum of all observations. */
  readonly sum: number;
}

/** A server's counters: bjoern's own, by their statsd names with `_` for `.`, and more. */
export interface Metrics {
  /** Failures of `accept(2)`. */
  readonly conn_accept_error: number;
  /** Connections accepted. */
  readonly conn_accept_success: number;
  /** Clients that left in the middle of a request. */
  readonly req_error_client_disconnected: number;
  /** Connections that broke in the middle of a request. */
  readonly req_error_read: number;
  /** Requests that the server itself has refused. */
  readonly req_error_parse: number;
  /** Requests at which the handler failed. */
  readonly req_error_internal: number;
  /** Requests read to their end. */
  readonly req_success_read: number;
  /** Reads that did not complete a request. */
  readonly req_active: number;
  /** Requests read to their end, or refused. */
  readonly req_done: number;
  /** Requests that their client did not complete. */
  readonly req_aborted: number;
  /** Parts of responses that did not complete them. */
  readonly resp_active: number;
  /** Responses that are complete. */
  readonly resp_done: number;
  /** Of these: after which the connection goes on. */
  readonly resp_done_keepalive: number;
  /** Of these: after which the connection ends. */
  readonly resp_conn_close: number;
  /** Responses that were cut short. */
  readonly resp_aborted: number;
  /** Connections that are open now. */
  readonly connections_open: number;
  /** Requests that are not answered yet. */
  readonly requests_in_flight: number;
  /** Bytes read from clients. */
  readonly bytes_received: number;
  /** Bytes written to clients. */
  readonly bytes_sent: number;
  /** What took too long in the middle of something. */
  readonly timeouts: number;
  /** Connections that were closed for lack of a PROXY header from somebody who may send one. */
  readonly conn_proxy_error: number;
  /** Bytes of memory in the library that connections hold now: see `maxBufferedSize`. */
  readonly bytes_buffered: number;
  /** Connections that were closed since they held too much of that. */
  readonly conn_shed: number;
  /** Seconds from the end of a request's head to that of its response. */
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

/** Words that the library's counters take. */
export const COUNTER_WORDS: number = COUNTERS.length + DURATIONS.length;
