/**
 * The layout of the records in shared memory, as `csrc/bjoern.h` declares them.
 * `tests/abi_test.ts` compares the two.
 *
 * @module
 */

/** Words of a `bj_event`, by member. */
export const Event = {
  type: 0,
  request: 1,
  generation: 2,
  flags: 3,
  head_at: 4,
  head_size: 5,
  method: 6,
  target_at: 7,
  target_size: 8,
  authority_at: 9,
  authority_size: 10,
  fields_at: 11,
  fields_count: 12,
  body_at: 13,
  body_size: 14,
  peer_port: 15,
  peer: 16,
} as const;

/** Words of one event record. */
export const EVENT_WORDS = 20;

/** `enum bj_event_type`. */
export const EventType = {
  REQUEST: 1,
  BODY: 2,
  ABORTED: 3,
  DRAINED: 4,
  SENT: 5,
  LEFT: 6,
  STOPPED: 7,
  READABLE: 8,
} as const;

/** `BJ_EVENT_*`. */
export const EventFlag = {
  BODY: 1,
  END: 2,
  ABSOLUTE: 4,
  ODD: 8,
  HTTP10: 16,
  EXPECTS: 32,
} as const;

/** `enum bj_reason`. */
export const Reason = {
  DISCONNECTED: 1,
  TIMED_OUT: 2,
  MALFORMED: 3,
  TOO_LARGE: 4,
  CLOSED: 5,
  EXPIRED: 6,
  SHED: 7,
  CUT: 8,
} as const;

/** `enum bj_method`, as names; the first stands for all others. */
export const METHODS = [
  "",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
] as const;

/** Words of a `bj_command`, by member. */
export const Command = {
  type: 0,
  request: 1,
  generation: 2,
  flags: 3,
  status: 4,
  fields_at: 5,
  fields_size: 6,
  body_at: 7,
  body_size: 8,
  length_low: 9,
  length_high: 10,
  offset_low: 11,
  offset_high: 12,
  backlog: 13,
} as const;

/** Words of one command record. */
export const COMMAND_WORDS = 14;

/** `enum bj_command_type`. */
export const CommandType = { WRITE: 1, CONSUME: 2, ABORT: 3, LIMIT: 4 } as const;

/** `BJ_CONSUME_REST`. */
export const CONSUME_REST = 1;

/** `BJ_WRITE_*`. */
export const WriteFlag = {
  HEAD: 1,
  END: 2,
  LENGTH: 4,
  CLOSE: 8,
  DATE: 16,
  REASON: 32,
  NOTIFY: 64,
  FILE: 128,
  FAILED: 256,
  DIRECT: 512,
} as const;

/** `BJ_HIGH_WATER`: bytes; a writer of more waits for `DRAINED`. */
export const HIGH_WATER = 65536;

/** `enum bj_counter`, in order: first those sent to statsd, then the others. */
export const COUNTERS = [
  "conn_accept_error",
  "conn_accept_success",
  "req_error_client_disconnected",
  "req_error_read",
  "req_error_parse",
  "req_error_internal",
  "req_success_read",
  "req_active",
  "req_done",
  "req_aborted",
  "resp_active",
  "resp_done",
  "resp_done_keepalive",
  "resp_conn_close",
  "resp_aborted",
  "connections_open",
  "requests_in_flight",
  "bytes_received",
  "bytes_sent",
  "timeouts",
  "conn_proxy_error",
  "bytes_buffered",
  "conn_shed",
  "duration_sum",
  "duration",
] as const;

/** `BJ_DURATIONS`: upper bounds in ms of the buckets behind `duration`; the last has none. */
export const DURATIONS = [
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1000,
  2500,
  5000,
  10000,
] as const;

/** `enum bj_backend`. */
export const Backend = { auto: 0, select: 1, poll: 2, epoll: 4, kqueue: 8 } as const;

/** Words of `bj_options`, in order. */
export const OPTIONS = [
  "arena_size",
  "field_slots",
  "event_slots",
  "max_head_size",
  "max_target_size",
  "max_fields",
  "max_body_low",
  "max_body_high",
  "max_connections",
  "max_requests",
  "max_pipelined",
  "head_timeout",
  "body_timeout",
  "idle_timeout",
  "write_timeout",
  "min_body_rate",
  "min_write_rate",
  "request_timeout",
  "max_buffered",
  "backend",
  "secure_targets",
] as const;
