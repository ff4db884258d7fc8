/**
 * Byte ranges (RFC 9110 section 14).
 *
 * npm's `range-parser` refuses a suffix longer than the file, which means the whole file (14.1.2),
 * and empty list members, which are to be ignored (5.6.1.2).
 *
 * @module
 */

/** A range of bytes of a file. */
export interface Range {
  /** The first byte. */
  start: number;
  /** The byte after the last. */
  end: number;
}

/** More ranges per request are refused: 14.2 warns of many small and overlapping ones. */
const MAX_RANGES = 64;

const SPEC = /^(?:(?<first>\d+)-(?<last>\d*)|-(?<suffix>\d+))$/;

/** `undefined` if malformed, "none" if beyond the end. */
function parseSpec(spec: string, size: number): Range | "none" | undefined {
  const groups = SPEC.exec(spec)?.groups;
  if (groups === undefined) {
    return undefined;
  }
  if (groups.suffix !== undefined) {
    const length = Number(groups.suffix);
    return length > 0 ? { start: Math.max(size - length, 0), end: size } : "none";
  }
  const start = Number(groups.first);
  const last = groups.last === "" ? Infinity : Number(groups.last);
  if (last < start) {
    return undefined;
  }
  return start < size ? { start, end: Math.min(last + 1, size) } : "none";
}

/**
 * Joins ranges that overlap or touch, so that no byte is sent twice; the others stay in the
 * requested order.
 */
function coalesce(ranges: Range[]): Range[] {
  const joined = new Map<Range, number>();
  let last: Range | undefined;
  const ordered = ranges.map((range, index) => ({ range, index }))
    .sort((a, b) => a.range.start - b.range.start);
  for (const { range, index } of ordered) {
    if (last !== undefined && range.start <= last.end) {
      last.end = Math.max(last.end, range.end);
      joined.set(last, Math.min(joined.get(last)!, index));
    } else {
      last = range;
      joined.set(last, index);
    }
  }
  return [...joined].sort(([, a], [, b]) => a - b).map(([range]) => range);
}

/**
 * Reads a Range field for a file of `size` bytes. `undefined` means that it must be ignored, an
 * empty list that no range is satisfiable.
 */
export function parseRanges(field: string, size: number): Range[] | undefined {
  const specs = /^bytes=(.*)$/i.exec(field)?.[1].split(",")
    .map((spec) => spec.trim()) // a pattern for trailing blanks would be quadratic
    .filter((spec) => spec !== "") ?? [];
  const parsed = specs.map((spec) => parseSpec(spec, size));
  if (parsed.length === 0 || parsed.includes(undefined)) {
    return undefined;
  }
  const ranges = parsed.filter((range) => typeof range === "object");
  // A suffix of an empty file is all of it, which Content-Range cannot express.
  if (ranges.some(({ start, end }) => start === end)) {
    return undefined;
  }
  return ranges.length > MAX_RANGES ? [] : coalesce(ranges);
}

/** A Content-Range (section 14.4); without a range that of a 416. */
export function contentRange(range: Range | undefined, size: number): string {
  return range === undefined ? `bytes */${size}` : `bytes ${range.start}-${range.end - 1}/${size}`;
}
