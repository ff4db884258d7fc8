// The C tests under the sanitizers, with each of libev's backends. With --macos the library is
// built as for macOS, on top of tests/macos/macos.h.
import { basename, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { countLines } from "./count.ts";
import { files } from "./files.ts";
import { all, compile, flags, must } from "./sanitizers.ts";
import { runStages } from "./stage.ts";

const { values: { macos }, positionals: [filter = ""] } = parseArgs({
  options: { macos: { type: "boolean", default: false } },
  allowPositionals: true,
});
const folder = macos ? "zig-out/macos" : "zig-out/sanitized";
const asOnMacos = "-U__linux__ -U__linux -D__APPLE__ -Itests/macos -include macos.h".split(" ");
const system = macos ? asOnMacos : [];
const shim = macos ? files("tests/macos", ".c") : [];

/** libev's numbers; 0 picks the best one here. */
const backends = [["", 0], [", poll", 2], [", select", 1]] as const;

async function main(): Promise<number> {
  const tests = files("tests/c", "_test.c", filter);
  const program = (test: string) => join(folder, basename(test, ".c"));
  const link = (test: string) =>
    must(["cc", ...flags, ...system, test, join(folder, "all.a"), "-o", program(test)]);
  if (!await compile("cc", folder, system, shim) || !await all(tests, link)) return 1;
  return await runStages(backends.flatMap(([how, flags]) =>
    tests.map((test) => ({
      name: basename(test, ".c") + how,
      command: ["env", `LIBEV_FLAGS=${flags}`, program(test)],
      count: countLines,
    }))
  ));
}

process.exit(await main());
