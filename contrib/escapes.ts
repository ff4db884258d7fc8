/**
 * Percent-escapes of paths.
 *
 * @module
 */

/** `%c3` is `%C3` (RFC 3986 section 6.2.2.1), which `URL` leaves as it is. */
export function raised(path: string): string {
  return path.includes("%") ? path.replace(/%[\da-f]{2}/gi, (it) => it.toUpperCase()) : path;
}
