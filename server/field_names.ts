/**
 * Field names.
 *
 * @module
 */

/** Field names in lower case by their spelling: the same ones recur. */
const names = new Map<string, string>();
const MOST_NAMES = 512;

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** `name` in lower case; `undefined` if it is not a field name (RFC 9110 section 5.1). */
export function lowered(name: string): string | undefined {
  const known = names.get(name);
  if (known !== undefined || !NAME.test(name)) {
    return known;
  }
  const lower = name.toLowerCase();
  if (names.size < MOST_NAMES) {
    names.set(name, lower);
  }
  return lower;
}
