// The permissions that each way to use the server needs, and that it asks for each one that is
// missing: the table of docs/deployment.md. On a runtime without permissions the programs must
// still work, and the rest is skipped.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Child, NO_PERMISSIONS, runFileWith } from "./support/child.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "bjoern-permissions-")));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "served.txt");
const app = join(folder, "app.ts");
const socket = join(folder, "socket");
const config = join(folder, "bjoern.json");
writeFileSync(file, "served");
writeFileSync(app, 'export default () => "served";\n');
writeFileSync(config, '{ "port": 0 }');

const LIBRARIES = fileURLToPath(new URL("../zig-out/lib", import.meta.url));
const library = join(folder, "library");
const [built] = readdirSync(LIBRARIES).filter((name) => /^libbjoern\.(so|dylib)$/.test(name));
cpSync(join(LIBRARIES, built), library);

const FFI = `--allow-ffi=${LIBRARIES}`;
const APP = "permissions_app.ts";
const CLI = "../../cli.ts";

interface Row {
  name: string;
  permissions: string[];
  /** The program and its arguments. */
  run: [program: string, ...args: string[]];
  env?: Record<string, string>;
}

const rows: Row[] = [
  { name: "TCP", permissions: [FFI], run: [APP, "library"] },
  { name: "a Unix socket", permissions: [FFI], run: [APP, "unix", socket] },
  {
    name: "sendFile()",
    permissions: [FFI, `--allow-read=${file}`],
    run: [APP, "sendFile", file],
  },
  {
    name: "contrib/static",
    permissions: [FFI, `--allow-read=${folder}`],
    run: [APP, "static", folder],
  },
  {
    name: "the command line",
    permissions: [FFI, `--allow-read=${app}`],
    run: [CLI, "--port", "0", app],
  },
  {
    name: "the command line with a file",
    permissions: [FFI, `--allow-read=${app},${config}`],
    run: [CLI, "--config", config, app],
  },
  {
    name: "workers",
    permissions: [FFI, `--allow-read=${app}`, `--allow-run=${process.execPath}`, "--allow-env"],
    run: [CLI, "--workers", "2", "--port", "0", app],
  },
  {
    name: "another library",
    permissions: [`--allow-ffi=${library}`, "--allow-env=BJOERN_LIBRARY"],
    run: [APP, "library"],
    env: { BJOERN_LIBRARY: library },
  },
];

/** The URL it listens on; throws if it does not get that far. */
async function listening(child: Child): Promise<string> {
  const [, url] = /^Listening on (\S+)$/.exec(await child.line()) ?? [];
  assert(url, "it tells where it listens");
  return url;
}

/** Its status and body. */
async function answer(url: string): Promise<string> {
  const where = url.startsWith("unix:") ? { socketPath: url.slice("unix:".length) } : {};
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    request({ ...where, hostname, port, headers: { host: "a" } }, (response) => {
      let text = `${response.statusCode} `;
      response.setEncoding("utf8").on("data", (part) => text += part)
        .on("end", () => resolve(text));
    }).on("error", reject).end();
  });
}

/** `--allow-read=/a/b` without the list. */
function flagOf(permission: string): string {
  return permission.replace(/=.*/, "");
}

for (const { name, permissions, run, env } of rows) {
  test(`${name} needs no more than ${permissions.map(flagOf).join(" ")}`, async () => {
    await using child = runFileWith(permissions, env, ...run);
    assert.equal(await answer(await listening(child)), "200 served");
    child.signal("SIGTERM");
    assert.equal((await child.ended()).status, 0);
  });
  for (const missing of permissions) {
    const asked = new RegExp(`Requires ${flagOf(missing).replace("--allow-", "")} access`);
    test(`${name} without ${flagOf(missing)} asks for it`, { skip: NO_PERMISSIONS }, async () => {
      const fewer = permissions.filter((one) => one !== missing);
      await using child = runFileWith(fewer, env, ...run);
      const got = await listening(child).then(answer).catch(() => undefined);
      assert.notEqual(got, "200 served");
      if (got !== undefined) {
        child.signal("SIGTERM");
      }
      const { out, err } = await child.ended();
      assert.match(out + err, asked);
      assert.doesNotMatch(err, /zig build/); // that would not help
    });
  }
}

for (const [permission, host] of [["--allow-env=HOST", "0.0.0.0"], ["--deny-env", "127.0.0.1"]]) {
  const skip = permission === "--deny-env" && NO_PERMISSIONS;
  test(`HOST from the environment with ${permission} listens on ${host}`, { skip }, async () => {
    const permissions = [FFI, `--allow-read=${app},${config}`, permission];
    const run = [CLI, "--config", config, app] as const;
    await using child = runFileWith(permissions, { HOST: "0.0.0.0" }, ...run);
    assert.equal(new URL(await listening(child)).hostname, host);
    child.signal("SIGTERM");
    assert.equal((await child.ended()).status, 0);
  });
}
