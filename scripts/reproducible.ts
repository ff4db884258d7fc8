// Builds every library again, in another folder with an empty cache: the result must be identical.
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileOf, platforms } from "../ffi/platform.ts";
import { run } from "./run.ts";

const root = join(import.meta.dirname!, "..");
const inputs = ["build.zig", "build.zig.zon", "csrc", "third_party", "tests/c"];

function sumsBelow(folder: string): string[] {
  return platforms.map((platform) => {
    const file = fileOf(platform.split("-")[0]);
    const octets = readFileSync(join(folder, "zig-out/dist", platform, file));
    return `${createHash("sha256").update(octets).digest("hex")}  ${platform}`;
  });
}

async function main(): Promise<number> {
  const other = mkdtempSync(join(tmpdir(), "bjoern-build-"));
  try {
    for (const input of [...inputs, "scripts/sources.sha256"]) {
      cpSync(join(root, input), join(other, input), { recursive: true });
    }
    const build = join(other, "build.zig");
    const { well, output } = await run(["zig", "build", "dist", "--build-file", build]);
    if (!well) throw new Error(output);
    const [here, there] = [sumsBelow(root), sumsBelow(other)];
    const differing = here.filter((sum) => !there.includes(sum));
    if (differing.length > 0) {
      console.error(`Built elsewhere, these differ:\n${differing.join("\n")}`);
    }
    return differing.length > 0 ? 1 : 0;
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
}

process.exit(await main());
