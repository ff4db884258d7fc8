/**
 * Names of fields.
 *
 * @module
 */

/** Field names in lower case by what they are written as: the same ones come again and again. */
const names = new Map<string, string>();
const MOST_NAMES = 512;

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** `name` in lower case; `undefined` if it is none (RFC 9110 section 5.1). */
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
