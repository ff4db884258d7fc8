// Where the library is loaded from, and the error when it cannot be.
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ABI } from "../ffi/library.ts";
import { native } from "../ffi/native.ts";
import { fileOf, platformOf } from "../ffi/platform.ts";
import { serverSymbols } from "../ffi/symbols.ts";
import { inFile, inMemory } from "../ffi/unpack.ts";
import { MOD, runText } from "./support/child.ts";

const file = new URL(`../zig-out/lib/${fileOf(process.platform)}`, import.meta.url);
const octets = readFileSync(fileURLToPath(file));

test("a library in a temporary file is private to this user, and removed once it is loaded", () => {
  let path = "";
  const library = inFile(octets, (given) => {
    path = given;
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    return native.open(path, serverSymbols);
  });
  assert.equal(library.bj_abi(), ABI);
  assert.ok(!existsSync(dirname(path)));
});

test("a temporary file is removed even if it cannot be loaded", () => {
  let path = "";
  const open = () =>
    inFile(
      new TextEncoder().encode("no library"),
      (given) => native.open(path = given, serverSymbols),
    );
  assert.throws(open);
  assert.ok(path !== "" && !existsSync(dirname(path)));
});

const isLinux = process.platform === "linux";

test("a library in memory has no descriptor once it is loaded", { skip: !isLinux }, () => {
  let path = "";
  const library = inMemory(octets, (given) => native.open(path = given, serverSymbols));
  assert.equal(library.bj_abi(), ABI);
  assert.ok(!existsSync(path));
  assert.match(readFileSync("/proc/self/maps", "utf8"), /r-xp .*\/memfd:libbjoern/);
});

test("every system gets the library built for it", () => {
  assert.equal(platformOf("linux", "x64", false), "linux-x64");
  assert.equal(platformOf("linux", "arm64", true), "linux-arm64-musl");
  assert.equal(platformOf("darwin", "arm64", false), "darwin-arm64");
  assert.equal(platformOf("linux", "riscv64", false), undefined);
  assert.equal(platformOf("win32", "x64", false), undefined);
});

/** The error of a server after `change` to `native`. */
async function complaint(change: string): Promise<string> {
  await using child = runText(`
    const { native } = await import("${new URL("ffi/native.ts", MOD)}");
    ${change}
    const { run } = await import("${MOD}");
    try {
      run(() => "", { port: 0 });
    } catch (error) {
      console.log(String(error));
    }
  `);
  return await child.line();
}

test("a library of another version is detected by its ABI, even where functions are missing", async () => {
  const said = await complaint(`native.open = (path, table) => {
    if ("bj_server_new" in table) throw new Error("undefined symbol: bj_server_new");
    return { bj_abi: () => 1 };
  };`);
  assert.match(
    said,
    new RegExp(`^LibraryError: .*libbjoern\\.\\w+ has ABI 1, this version needs ${ABI}$`),
  );
});

const others: [os: string, message: RegExp][] = [
  ["win32", /^LibraryError: There is no bjoern library for Windows\. .*WSL/],
  ["freebsd", /^LibraryError: There is no bjoern library for freebsd-\w+, only for linux-x64, /],
];
for (const [os, message] of others) {
  test(`on ${os} the module loads, and running a server explains what to do`, async () => {
    assert.match(await complaint(`native.os = "${os}";`), message);
  });
}
