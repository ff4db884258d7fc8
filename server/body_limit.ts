/**
 * Body limits that depend on the request.
 *
 * @module
 */
import type { Exchange } from "./exchange.ts";
import type { BodyLimit } from "./types.ts";
import type { Writer } from "./writer.ts";

/**
 * Whether the handler may get the request. The library watches a body in progress, and answers with
 * 413 if it is larger than allowed, or is announced to be.
 */
export function admits(
  limitOf: BodyLimit,
  request: Request,
  exchange: Exchange,
  writer: Writer,
): boolean {
  const limit: unknown = limitOf(request, exchange);
  if (typeof limit !== "number" || !(limit >= 0)) {
    throw new TypeError(`maxBodySize must return a number of bytes, not ${String(limit)}`);
  }
  writer.limit(exchange, Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER));
  return exchange.bodySize <= limit;
}
