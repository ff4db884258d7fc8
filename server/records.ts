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
  backlog: 11,
} as const;

/** Words of one command record. */
export const COMMAND_WORDS = 12;

/** `enum bj_command_type`. */
export const CommandType = { WRITE: 1, CONSUME: 2, ABORT: 3 } as const;

/** `BJ_WRITE_*`. */
export const WriteFlag = {
  HEAD: 1,
  END: 2,
  LENGTH: 4,
  CLOSE: 8,
  DATE: 16,
  REASON: 32,
  NOTIFY: 64,
} as const;

/** `BJ_HIGH_WATER`: octets; a writer of more waits for `DRAINED`. */
export const HIGH_WATER = 65536;

/** `enum bj_counter`, in order. */
export const COUNTERS = [
  "connections_open",
  "connections_accepted",
  "requests_held",
  "requests_total",
  "requests_rejected",
  "requests_aborted",
  "bytes_received",
  "bytes_sent",
  "accept_failed",
  "timeouts",
] as const;

/** Words of `bj_options`, in order. */
export const OPTIONS = [
  "arena_size",
  "field_slots",
  "event_slots",
  "output_size",
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
] as const;
