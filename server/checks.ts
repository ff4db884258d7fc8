/**
 * Checks of options, with readable errors.
 *
 * @module
 */

/** Checks the `typeof` of a value. Throws a TypeError. */
export function checkKind(name: string, value: unknown, kind: string): void {
  const given = value === null ? "null" : typeof value;
  if (given !== kind) {
    const article = kind === "object" ? "an" : "a";
    throw new TypeError(`Option ${name} must be ${article} ${kind}, not ${given}`);
  }
}

/** The same for all options; `""` for those checked elsewhere. */
export function checkKinds(options: object, kinds: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && kinds[name]) {
      checkKind(name, value, kinds[name]);
    }
  }
}

/** Checks a number. Throws a TypeError or RangeError. */
export function wholeNumber(name: string, value: unknown, least: number, most: number): number {
  checkKind(name, value, "number");
  const number = value as number;
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new RangeError(
      `Option ${name} must be a whole number from ${least} to ${most}: ${number}`,
    );
  }
  return number;
}

/** The maximum of `setTimeout()`; more would fire at once. */
export const LONGEST: number = 2 ** 31 - 1;

/** Checks the options of `shutdown()`. Throws a TypeError. */
export function checkTimes(options: object, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`shutdown() takes { ${names.join(", ")} }, not ${String(options)}`);
  }
  refuseUnknown(options, names, "shutdown().");
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !(typeof value === "number" && value >= 0)) {
      throw new TypeError(`shutdown(): ${name} must be milliseconds from 0, not ${String(value)}`);
    }
  }
}

/**
 * Refuses unknown names: they are most likely misspelt, and the default in their place could
 * do harm. `elsewhere` says what to use instead. Throws a TypeError.
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
