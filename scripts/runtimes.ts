import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { countReport, none } from "./count.ts";
import type { Stage } from "./stage.ts";

/**
 * Stages that run the same test files on both runtimes, with reports in `folder`. Types are checked
 * separately.
 */
export function onRuntimes(paths: string[], folder: string): Stage[] {
  const tests = paths.map((path) => `./${path}`);
  const stage = (name: string, options: (report: string) => string[]): Stage => {
    const report = join(folder, `${name}.xml`);
    return {
      name,
      command: [...name.split(" "), ...options(report), ...tests],
      count: () => existsSync(report) ? countReport(readFileSync(report, "utf8")) : none,
    };
  };
  return tests.length === 0 ? [] : [
    stage("bun test", (report) => [
      ...["--timeout", "30000", "--only-failures"],
      ...["--reporter", "junit", "--reporter-outfile", report],
    ]),
    stage("deno test", (report) => ["-A", "--no-check", `--junit-path=${report}`]),
  ];
}
