// All checks that do not run the code.
import process from "node:process";
import manifest from "../deno.json" with { type: "json" };
import { files } from "./files.ts";
import { runStages, type Stage } from "./stage.ts";

// bench/ mixes the APIs of both runtimes: only tsc knows them all.
const shared = ["mod.ts", "cli.ts", "server", "ffi", "contrib", "tests", "examples", "scripts"];
const documents = [...files(".", ".md"), ...files("docs", ".md")];
const inC = [
  "csrc",
  ...["c", "fuzz", "faults", "macos", "macos/sys", "cross"].map((it) => `tests/${it}`),
]
  .flatMap((folder) => [...files(folder, ".c"), ...files(folder, ".h")]);

const clangFormat = ["clang-format", "--dry-run", "--Werror", "--ferror-limit=5"];

// The type check needs the libraries as modules.
export const checks: Stage[] = [
  { name: "zig build dist", command: ["zig", "build", "dist"] },
  { name: "dist", command: ["bun", "scripts/dist.ts"] },
  { name: "reproducible", command: ["bun", "scripts/reproducible.ts"] },
  { name: "deno fmt", command: ["deno", "fmt", "--check"] },
  { name: "deno lint", command: ["deno", "lint"] },
  { name: "deno check", command: ["deno", "check", "--doc", ...shared] },
  { name: "examples in docs", command: ["deno", "check", "--doc-only", ...documents] },
  { name: "tsc", command: ["tsc", "--noEmit"] },
  { name: "deno doc", command: ["deno", "doc", "--lint", ...Object.values(manifest.exports)] },
  { name: "zig fmt", command: ["zig", "fmt", "--check", "build.zig", "build.zig.zon"] },
  { name: "clang-format", command: [...clangFormat, ...inC] },
];

if (import.meta.main) process.exit(await runStages(checks));
