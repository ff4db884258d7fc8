/**
 * The target URI of a request (RFC 9112 section 3.3), absolute and normalised.
 *
 * @module
 */
import type { Forwarded } from "./forwarded.ts";
import { EventFlag } from "./records.ts";

type Scheme = "http" | "https";

/** The start of URLs by received authority; `""` if that is invalid. */
const origins: Record<Scheme, Map<string, string>> = { http: new Map(), https: new Map() };
const MOST_ORIGINS = 256;

/** Scheme and authority as in a URL: lower case, without the default port. */
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

/** The origin from Host. One that no URL can have becomes `invalid` (RFC 6761), which is safe. */
function ownOrigin(scheme: Scheme, authority: string): string {
  return authority === ""
    ? `${scheme}://localhost`
    : originOf(scheme, authority) || `${scheme}://invalid`;
}

/** Path and query as left by a URL parser; `isOdd` if it may change them. */
function join(origin: string, target: string, isOdd: boolean): string {
  if (target === "*") {
    return `${origin}/*`;
  }
  return isOdd ? new URL(origin + target).href : origin + target;
}

/** Scheme and path of a target in absolute-form (RFC 9112 section 3.2.2). */
function split(target: string): [scheme: Scheme, path: string] {
  const [, scheme, path] = /^(https?):\/\/[^/?]+(.*)$/i.exec(target)!;
  return [scheme.toLowerCase() as Scheme, path.startsWith("/") ? path : `/${path}`];
}

/**
 * Builds it from the request-target, the event's flags, the authority (the target's own in
 * absolute-form, otherwise the Host field's), and what a trusted proxy says. Only that can mean
 * https: the connection itself is not secure (RFC 9110 section 7.4).
 */
export function targetUri(
  target: string,
  flags: number,
  authority: string,
  told?: Forwarded,
): string {
  const isOdd = (flags & EventFlag.ODD) !== 0;
  if (told === undefined && (flags & EventFlag.ABSOLUTE) === 0) {
    return join(ownOrigin("http", authority), target, isOdd);
  }
  const isAbsolute = (flags & EventFlag.ABSOLUTE) !== 0;
  const [own, path] = isAbsolute ? split(target) : ["http", target] as const;
  const scheme = told?.scheme ?? (told === undefined ? "http" : own);
  const origin = told?.authority !== undefined && originOf(scheme, told.authority) ||
    ownOrigin(scheme, authority);
  return join(origin, path, isOdd || isAbsolute);
}
