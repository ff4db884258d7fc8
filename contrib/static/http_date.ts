/**
 * Dates in header fields (RFC 9110 section 5.6.7).
 *
 * @module
 */

const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const MONTH = "(?<month>[A-Z][a-z][a-z])";
const TIME = "(?<time>\\d\\d:\\d\\d:\\d\\d)";

/** The current format, and the two obsolete ones that a recipient must accept. */
const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Two-digit years are never more than 50 years ahead. */
function fullYear(year: string): number {
  const latest = new Date().getUTCFullYear() + 50;
  return year.length === 4 ? Number(year) : latest - (latest - Number(year)) % 100;
}

/** Milliseconds since the epoch; NaN if invalid, which compares false to everything. */
export function parseHttpDate(text: string): number {
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups !== undefined) {
      const { day, month, year, time } = groups;
      return Date.parse(`${day} ${month} ${fullYear(year)} ${time} GMT`);
    }
  }
  return NaN;
}
