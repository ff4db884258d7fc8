export interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

export const none: Count = { passed: 0, failed: 0, skipped: 0 };

export function sum(a: Count, b: Count): Count {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** "3 passed, 0 failed" */
export function inWords({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}

/** Counts the lines that tests/c/test.h prints. */
export function countLines(output: string): Count {
  return {
    passed: output.match(/^ok - /gm)?.length ?? 0,
    failed: output.match(/^not ok - /gm)?.length ?? 0,
    skipped: 0,
  };
}

/** Reads the summary at the end of a script's output. */
export function countSummary(output: string): Count {
  const [, passed = "0", failed = "0", skipped = "0"] =
    [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1) ?? [];
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}

/**
 * Counts the cases in a JUnit report. Deno lists a test with steps along with the steps, which are
 * named "test > step"; only the steps are counted.
 */
export function countReport(xml: string): Count {
  const cases = xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*(?:<(failure|error|skipped))?/g);
  const found = Array.from(cases, ([, name, verdict = "passed"]) => ({ name, verdict }));
  const groups = new Set(found.flatMap(({ name }) => {
    const words = name.split(" &gt; ");
    return words.slice(1).map((_, i) => words.slice(0, i + 1).join(" &gt; "));
  }));
  const verdicts = found.filter(({ name }) => !groups.has(name)).map(({ verdict }) => verdict);
  const number = (...wanted: string[]) => verdicts.filter((it) => wanted.includes(it)).length;
  return {
    passed: number("passed"),
    failed: number("failure", "error"),
    skipped: number("skipped"),
  };
}
