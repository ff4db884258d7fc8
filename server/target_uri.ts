/**
 * The target URI of a request (RFC 9112 section 3.3), absolute and normalised.
 *
 * @module
 */
import type { Forwarded } from "./forwarded.ts";
import { EventFlag } from "./records.ts";

type Scheme = "http" | "https";

/** What URLs begin with, by the authority as it was received; `""` for one that is none. */
const origins: Record<Scheme, Map<string, string>> = { http: new Map(), https: new Map() };
const MOST_ORIGINS = 256;

/** Scheme and authority as a URL shows them: lower case, without the default port. */
function originOf(scheme: Scheme, authority: string): string {
  const known = origins[scheme];
  let origin = known.get(authority);
  if (origin === undefined) {
    const text = `${scheme}://${authority}`;
    origin = URL.canParse(`${text}/`) ? new URL(`${text}/`).origin : "";
    if (known.size >= MOST_ORIGINS) {
      known.clear();
    }
    known.set(authority, origin);
  }
  return origin;
}

function localOrigin(scheme: Scheme, authority: string): string {
  return originOf(scheme, authority) || `${scheme}://localhost`;
}

/** Path and query as a URL parser leaves them; `isOdd` when it may have something to do. */
function join(origin: string, target: string, isOdd: boolean): string {
  if (target === "*") {
    return `${origin}/*`;
  }
  return isOdd ? new URL(origin + target).href : origin + target;
}

/** The target's own URI when it is in absolute-form (RFC 9112 section 3.2.2). */
function absolute(target: string): URL {
  return new URL(URL.canParse(target) ? target : "http://localhost/");
}

/** Makes it of the request-target, the event's flags and the Host field. */
export function targetUri(target: string, flags: number, authority: string): string {
  return (flags & EventFlag.ABSOLUTE) !== 0
    ? absolute(target).href
    : join(localOrigin("http", authority), target, (flags & EventFlag.ODD) !== 0);
}

/** The same for the request as a trusted proxy got it. */
export function forwardedUri(
  target: string,
  flags: number,
  authority: string,
  told: Forwarded,
): string {
  const isAbsolute = (flags & EventFlag.ABSOLUTE) !== 0;
  const own = isAbsolute ? absolute(target) : undefined;
  const scheme = told.scheme ?? (own?.protocol === "https:" ? "https" : "http");
  const origin = told.authority !== undefined && originOf(scheme, told.authority) ||
    localOrigin(scheme, own?.host ?? authority);
  return own === undefined
    ? join(origin, target, (flags & EventFlag.ODD) !== 0)
    : origin + own.pathname + own.search;
}
