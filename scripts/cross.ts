// `npm run cross`: tests for the platforms other than this machine. The C tests on musl and on
// arm64 (in qemu-user), servers on the libraries we ship, and the C tests compiled for macOS;
// `scripts/sanitized.ts --macos` runs those on emulated system calls. Linux on x64 only.
// `npm run cross -- hello`: those with "hello" in their names.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { countLines } from "./count.ts";
import { runStages, type Stage } from "./stage.ts";

/** A stage that needs packages which may be missing. */
interface Try extends Stage {
  needs?: { found: () => boolean; packages: string };
}

const qemu = {
  found: () => spawnSync("qemu-aarch64", ["--version"]).status === 0,
  packages: "qemu-user",
};
const sysroot = "/usr/aarch64-linux-gnu";
const qemuAndLibc = {
  found: () => qemu.found() && existsSync(sysroot),
  packages: "qemu-user libc6-arm64-cross",
};
const musl = { found: () => existsSync("/lib/ld-musl-x86_64.so.1"), packages: "musl" };

function tests(name: string, ...options: string[]): Try {
  const command = ["zig", "build", "test", ...options];
  return { name: `C tests, ${name}`, command, count: countLines };
}

function hello(platform: string, triple: string, ...runner: string[]): Try {
  const command = ["bun", "tests/cross/hello.ts", platform, triple, ...runner];
  return { name: `hello, ${platform}`, command, count: countLines };
}

const tries: Try[] = [
  { name: "zig build dist", command: ["zig", "build", "dist"], isSetUp: true },
  tests("musl", "-Dtarget=x86_64-linux-musl"),
  { ...tests("arm64", "-Dtarget=aarch64-linux-musl", "-fqemu"), needs: qemu },
  { name: "C tests for macOS", command: ["zig", "build", "test", "-Dtarget=aarch64-macos.11.0"] },
  hello("linux-x64", "x86_64-linux-gnu.2.17"),
  { ...hello("linux-x64-musl", "x86_64-linux-musl"), needs: musl },
  {
    ...hello("linux-arm64", "aarch64-linux-gnu.2.17", "qemu-aarch64", "-L", sysroot),
    needs: qemuAndLibc,
  },
];

/** CI must run all of them. */
function isPossible({ name, needs }: Try): boolean {
  if (needs === undefined || process.env.CI || needs.found()) return true;
  console.log(`${name.padEnd(24)}skipped: \`apt-get install ${needs.packages}\` brings its needs`);
  return false;
}

const [part = ""] = process.argv.slice(2);
const chosen = tries.filter(({ name, isSetUp }) => isSetUp || name.includes(part));
process.exit(await runStages(chosen.filter(isPossible)));
