/**
 * Options that there are not.
 *
 * @module
 */

/**
 * Refuses names that are not known: one is most likely misspelt, and the default in its place could
 * do harm. `elsewhere` tells what to use for some. Throws a TypeError.
 */
export function refuseUnknown(
  options: object,
  known: readonly string[],
  prefix = "",
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !known.includes(name)) {
      const hint = Object.hasOwn(elsewhere, name) ? `: use ${elsewhere[name]}` : "";
      throw new TypeError(`There is no option ${prefix}${name}${hint}`);
    }
  }
}
