// The packages as published, in a local registry, and projects that use them.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Child } from "./child.ts";
import { Registry } from "./registry.ts";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

const BIN = join(ROOT, "node_modules/.bin");
const PATH = [dirname(process.execPath), BIN, process.env.PATH].join(delimiter);

/** Runs a program to its end and returns its output. Throws with all output if it fails. */
export async function output(
  cwd: string,
  env: Record<string, string>,
  program: string,
  ...args: string[]
): Promise<string> {
  const options = { cwd, env: { ...process.env, PATH, NO_COLOR: "1", ...env }, timeout: 120_000 };
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(" ")}:\n${stdout}${stderr}`, { cause: error });
  }
}

/** What `npm run dist` makes, published as for npm and JSR. */
export class Packages implements AsyncDisposable {
  readonly registry: Registry;
  /** The sorted paths in our npm tarball. */
  readonly files: string[];
  /** Removed at the end. */
  readonly #folder: string;

  private constructor(folder: string, registry: Registry, files: string[]) {
    this.#folder = folder;
    this.registry = registry;
    this.files = files.sort();
  }

  /** Builds the packages and publishes them to a local registry. */
  static async publish(): Promise<Packages> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "bjoern-packages-")));
    const registry = await Registry.start(folder);
    await output(ROOT, {}, "npm", "run", "dist");
    const names = ["hono", "jsonc-parser", "cookie", "mime"];
    const others = names.map((name) => join(ROOT, "node_modules", name));
    const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
    const made = JSON.parse(await output(ROOT, {}, "npm", ...pack, ROOT, ...others));
    for (const { filename } of made) {
      registry.add(join(folder, filename));
    }
    await output(ROOT, registry.env, "deno", "publish", "--allow-dirty", "--token", "none");
    const [{ files }] = made as { files: { path: string }[] }[];
    return new Packages(folder, registry, files.map(({ path }) => path));
  }

  /** A new folder with these files. */
  project(files: Record<string, string> = {}): Project {
    return new Project(mkdtempSync(join(this.#folder, "project-")), this.registry.env, files);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A program that is killed together with any others it has started. */
class Tree extends Child {
  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // All have ended.
    }
    await this.exit;
  }
}

/** The project of a user of the package. */
export class Project {
  readonly path: string;
  readonly #env: Record<string, string>;

  constructor(path: string, env: Record<string, string>, files: Record<string, string> = {}) {
    this.path = path;
    const tmp = join(path, "tmp");
    this.#env = {
      ...env,
      TMPDIR: tmp,
      PATH: [join(path, "node_modules/.bin"), PATH].join(delimiter),
    };
    mkdirSync(tmp);
    for (const [name, text] of Object.entries(files)) {
      this.write(name, text);
    }
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  /** A project in an existing folder. */
  in(folder: string): Project {
    return new Project(join(this.path, folder), this.#env);
  }

  /** The text of a file. */
  read(name: string): string {
    return readFileSync(join(this.path, name), "utf8");
  }

  /** Runs a program in the project to its end, and returns its output. */
  run(program: string, ...args: string[]): Promise<string> {
    return output(this.path, this.#env, program, ...args);
  }

  /** Starts a program in the project. */
  start(program: string, ...args: string[]): Child {
    const env = { ...process.env, NO_COLOR: "1", HOST: "", PORT: "0", ...this.#env };
    return new Tree(spawn(program, args, { cwd: this.path, env, detached: true }));
  }
}
