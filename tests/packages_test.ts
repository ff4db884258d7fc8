// What npm and JSR get, and how Bun and Deno use it: installed as users do, from a local registry,
// into empty folders.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileOf, type Platform, platforms } from "../ffi/platform.ts";
import { version } from "../mod.ts";
import { filesBelow } from "../scripts/files.ts";
import { get, urlOf } from "./support/cli_run.ts";
import { output, Packages, type Project, ROOT } from "./support/packages.ts";

const packages = await Packages.publish();
after(() => packages[Symbol.asyncDispose]());

const manifest = (name: string) => JSON.parse(readFileSync(join(ROOT, name), "utf8"));
const libraryOf = (platform: Platform) => `${platform}/${fileOf(platform.split("-")[0])}`;

describe("contents", () => {
  const texts = ["CHANGELOG.md", "LICENSE", "README.md", "THIRD_PARTY_LICENSES"];

  /** Our modules that the exports import. */
  async function modules(): Promise<string[]> {
    const entries = Object.values<string>(manifest("deno.json").exports);
    const graphs = await Promise.all(
      entries.map((entry) => output(ROOT, {}, "deno", "info", "--json", entry)),
    );
    const paths = graphs.flatMap((graph) =>
      JSON.parse(graph).modules.map(({ local = "" }: { local?: string }) => local)
    );
    return [...new Set<string>(paths)]
      .filter((path) => path.startsWith(ROOT) && path.endsWith(".ts"))
      .map((path) => path.slice(ROOT.length))
      .filter((path) => !path.startsWith("node_modules/"));
  }

  /** Those of them that npm's package bundles in one file. */
  const isInCore = (name: string) =>
    /^dist\/(server|ffi)\//.test(name) && !/^dist\/ffi\/embedded/.test(name);

  test("npm gets JavaScript with its types, the shared parts once, and the libraries", async () => {
    const names = (await modules()).map((path) => `dist/${path.slice(0, -".ts".length)}`);
    assert.deepEqual(
      packages.files,
      [
        ...texts,
        "package.json",
        "dist/ffi/core.js",
        ...names.map((name) => `${name}.d.ts`),
        ...names.filter((name) => !isInCore(name)).map((name) => `${name}.js`),
        ...platforms.map((platform) => `dist/lib/${libraryOf(platform)}`),
      ].sort(),
    );
  });

  test("JSR gets the modules, those with the libraries among them", async () => {
    const published = filesBelow(packages.registry.published);
    assert.deepEqual(published, [...texts, "deno.json", ...await modules()].sort());
    for (const platform of platforms) {
      assert.ok(published.includes(`ffi/embedded/${platform}.ts`), platform);
    }
  });

  test("both have the same exports", () => {
    const exported = Object.entries<string>(manifest("package.json").exports)
      .map(([key, path]) => [key, path.replace(/^\.\/dist\/(.+)\.js$/, "./$1.ts")]);
    assert.deepEqual(Object.fromEntries(exported), manifest("deno.json").exports);
  });

  test("the licences of what is compiled in are the authors' own texts", () => {
    const text = readFileSync(join(packages.registry.published, "THIRD_PARTY_LICENSES"), "utf8");
    assert.ok(text.includes(readFileSync(join(ROOT, "third_party/libev/LICENSE"), "utf8").trim()));
    assert.match(text, /picohttpparser[^]+Kazuho Oku[^]+THE SOFTWARE IS PROVIDED "AS IS"/);
  });
});

const USES_ALL = `
import { type Handler, run, type Server } from "@x/bjoern";
import { main } from "@x/bjoern/cli";
import { compress } from "@x/bjoern/contrib/compress";
import { cookies } from "@x/bjoern/contrib/cookies";
import { environ } from "@x/bjoern/contrib/environ";
import { errorPage } from "@x/bjoern/contrib/error_page";
import { accessLog } from "@x/bjoern/contrib/log";
import { metricsPage } from "@x/bjoern/contrib/metrics";
import { router } from "@x/bjoern/contrib/router";
import { serveStatic } from "@x/bjoern/contrib/static";

const handler: Handler = (request, info) =>
  new Response(\`\${request.url} \${info.remoteAddr.port} \${cookies(request).name}\`);
const app = router({ "/users/:id": (_request, _info, params): string => params.id });
export const server: Server = run(handler, { port: 0 });
export const others: unknown[] = [
  app, main, compress, environ, errorPage, accessLog, metricsPage, serveStatic,
];
// @ts-expect-error The types are there: a port is no text.
run(handler, { port: "0" });
`;

const SERVES = `
import { run } from "@x/bjoern";
import { Hono } from "hono";

const app = new Hono();
app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));
const servers = [run(() => new Response("Hello"), { port: 0 }), run(app, { port: 0 })];
console.log(JSON.stringify(servers.map(({ url }) => url.href)));
`;

/** As strict as possible, with our declarations checked and none of any runtime. */
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: "nodenext",
    target: "esnext",
    lib: ["esnext", "dom", "dom.iterable"],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  },
  files: ["all.ts"],
});

type Command = [program: string, ...args: string[]];

const FAILS = `
import { run } from "@x/bjoern";

try {
  run(() => "", { port: 0 }).stop();
} catch (error) {
  console.log(String(error));
}
`;

interface Way {
  name: string;
  /** The files of a new project. */
  files: Record<string, string>;
  install: Command;
  /** Runs a file with the fewest permissions. */
  run: Command;
  /** Where the library is loaded from. */
  maps: RegExp;
  /** The command line. */
  command: Command;
  /** The manifest that `bjoern init` writes. */
  manifest: string;
  checks: Command[];
  compile: Command;
}

const fromFile = /\/node_modules\/.*\/dist\/lib\/[\w-]+\/libbjoern\./;
const fromMemory = /\/memfd:libbjoern/;

const onBun: Way[] = [{
  name: "Bun, from npm",
  files: { "tsconfig.json": TSCONFIG },
  install: ["bun", "add", "@x/bjoern", "hono"],
  run: ["bun"],
  maps: fromFile,
  command: ["bunx", "@x/bjoern"],
  manifest: "package.json",
  checks: [["tsc"], ["tsc", "--module", "esnext", "--moduleResolution", "bundler"]],
  compile: ["bun", "build", "--compile", "--outfile", "app", "server.ts"],
}];

const byDeno: Pick<Way, "manifest" | "checks" | "compile"> = {
  manifest: "deno.json",
  checks: [["deno", "check", "all.ts"]],
  compile: ["deno", "compile", "--allow-ffi", "--output", "app", "server.ts"],
};

const onDeno: Way[] = [{
  name: "Deno, from JSR",
  files: {},
  install: ["deno", "add", "jsr:@x/bjoern", "npm:hono"],
  run: ["deno", "run", "--allow-ffi"],
  maps: fromMemory,
  command: ["deno", "run", "-A", "jsr:@x/bjoern/cli"],
  ...byDeno,
}, {
  name: "Deno, from npm",
  files: { "package.json": `{ "type": "module" }` },
  install: ["deno", "add", "npm:@x/bjoern", "npm:hono"],
  run: ["deno", "run", "--allow-ffi=node_modules"],
  maps: fromFile,
  command: ["deno", "run", "-A", "npm:@x/bjoern"],
  ...byDeno,
}];

const ways = process.versions.bun ? onBun : onDeno;

/** Why deno compile cannot be tested here: it fetches denort, unless it has one. */
async function lacksDenort(): Promise<string | false> {
  if (process.versions.bun) {
    return false;
  }
  const folder = mkdtempSync(join(tmpdir(), "bjoern-denort-"));
  writeFileSync(join(folder, "empty.ts"), "");
  const said = await output(folder, {}, "deno", "compile", "empty.ts").then(() => "", String);
  rmSync(folder, { recursive: true });
  return said.includes("denort") && "deno compile cannot get denort; DENORT_BIN may name it";
}

const noDenort = await lacksDenort();
if (noDenort) {
  console.log(`Not tested: ${noDenort}`);
}

/** A project with the package and another one installed. */
async function installed(way: Way): Promise<Project> {
  const project = packages.project({ ...way.files, "server.ts": SERVES, "all.ts": USES_ALL });
  await project.run(...way.install);
  return project;
}

/** Starts a program that prints the addresses of SERVES, and requests them. */
async function asked(project: Project, maps: RegExp, ...command: Command) {
  await using child = project.start(...command);
  const [plain, hono] = JSON.parse(await child.line());
  assert.equal(await get(plain), "Hello");
  assert.deepEqual(JSON.parse(await get(`${hono}hello/you`)), { hello: "you" });
  if (process.platform === "linux") {
    const mapped = readFileSync(`/proc/${child.pid}/maps`, "utf8");
    assert.match(mapped, maps);
    assert.ok(!mapped.includes(join(ROOT, "zig-out")));
  }
}

for (const way of ways) {
  describe(way.name, () => {
    let project: Project;
    before(async () => project = await installed(way));

    test("a handler and Hono are served", async () => {
      await asked(project, way.maps, ...way.run, "server.ts");
    });

    test("the command line serves an app from a configuration file", async () => {
      const project = packages.project({
        "app.ts": `export default () => "from the command line";`,
        "bjoern.jsonc": `{ "port": 0 } // any`,
      });
      assert.equal(await project.run(...way.command, "--version"), `${version}\n`);
      await using child = project.start(...way.command, "--config", "bjoern.jsonc", "app.ts");
      assert.equal(await get(await urlOf(child)), "from the command line");
    });

    test("what bjoern init writes starts", async () => {
      const folder = packages.project();
      await folder.run(...way.command, "init", "hello");
      const project = folder.in("hello");
      const { scripts, tasks } = JSON.parse(project.read(way.manifest));
      if (way.manifest === "package.json") {
        await project.run("bun", "install");
        const [, script] = /ExecStart=\S+ (\S+)/.exec(project.read("hello.service"))!;
        project.read(script);
      }
      const [start, ...rest] = (scripts ?? tasks).start.split(" ");
      await using child = project.start(start, ...rest);
      assert.equal(await get(await urlOf(child)), "Hello, World!\n");
    });

    test("its types are right", async () => {
      for (const check of way.checks) {
        await project.run(...check);
      }
    });

    test("a compiled program serves with nothing else around", { skip: noDenort }, async () => {
      await project.run(...way.compile);
      const elsewhere = packages.project();
      renameSync(join(project.path, "app"), join(elsewhere.path, "app"));
      renameSync(project.path, `${project.path}.away`);
      await asked(elsewhere, /libbjoern/, "./app");
      renameSync(`${project.path}.away`, project.path);
    });
  });
}

test("the installed command runs on the available runtime", async () => {
  const project = await installed(ways.at(-1)!);
  const name = process.versions.bun ? "bun" : "deno";
  symlinkSync(process.execPath, join(project.path, name));
  const path = `PATH=${project.path}:/usr/bin:/bin`;
  const said = await project.run("env", path, "node_modules/.bin/bjoern", "--version");
  assert.equal(said, `${version}\n`);
});

describe("without the library's file", () => {
  const way = ways.at(-1)!; // from npm
  const run: Command = process.versions.bun ? ["bun"] : ["deno", "run", "--allow-ffi"];
  let project: Project;
  before(async () => {
    project = await installed(way);
    rmSync(join(project.path, "node_modules/@x/bjoern/dist/lib"), { recursive: true });
  });

  test("the library is loaded from its module", async () => {
    await asked(project, fromMemory, ...run, "server.ts");
  });

  // As deno compile and bun build --compile bundle the modules, but without a runtime included.
  test("a bundle of all modules serves", async () => {
    await project.run("bun", "build", "--target", "node", "--outfile", "bundle.js", "server.ts");
    const elsewhere = packages.project({ "bundle.js": project.read("bundle.js") });
    await asked(elsewhere, fromMemory, ...run, "bundle.js");
  });

  test("a modified module is refused, and the error names every place", async () => {
    const [platform] = platforms.filter((it) => it === `${process.platform}-${process.arch}`);
    const folder = "node_modules/@x/bjoern/dist";
    const path = `${folder}/ffi/embedded/${platform}.js`;
    const text = project.read(path);
    project.write(path, text.replace(/base64 = "./, 'base64 = "A'));
    project.write("fails.ts", FAILS);
    const said = await project.run(...run, "fails.ts");
    assert.match(said, /^LibraryError: Cannot load the bjoern library. Tried:$/m);
    assert.match(said, new RegExp(`^  .*/dist/lib/${platform}/libbjoern\\..*: .+$`, "m"));
    assert.match(
      said,
      new RegExp(`^  embedded ${platform}: its SHA-256 sum is \\w+, expected`, "m"),
    );
    assert.match(said, /BJOERN_LIBRARY/);
  });
});
