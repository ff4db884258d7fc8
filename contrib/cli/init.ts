/**
 * `bjoern init DIR`: an app that runs, with its configuration and its systemd units.
 *
 * @module
 */
import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { native } from "../../ffi/native.ts";
import { version } from "../../server/features.ts";
import { Failure } from "./failure.ts";
import { defaultOf, GROUPS, type Option } from "./options.ts";
import { service, socket } from "./units.ts";

const APP = `// npm start, or deno task start, serves it.

/** GET / greets, all else is not found. */
export default (request: Request): Response => {
  const { pathname } = new URL(request.url);
  return pathname === "/"
    ? new Response("Hello, World!\\n")
    : new Response("Not found\\n", { status: 404 });
};
`;

const SERVED = "--config bjoern.jsonc app.ts";

const UNITS: Record<string, string> = {
  BYTES: "bytes: ",
  "BYTES/S": "bytes a second ",
  MS: "milliseconds ",
  US: "microseconds ",
};

function configLine(option: Option): string {
  const { key, value, text, example } = option;
  const shown = JSON.stringify(defaultOf(option) ?? example);
  return `  // "${key}": ${shown}, // ${UNITS[value] ?? ""}${text}${
    example ? " (an example)" : ""
  }`;
}

/** Every option, commented out, with its default or an example. */
function configText(): string {
  const groups = Object.entries(GROUPS).map(([heading, options]) =>
    `  // ${heading}.\n${options.map(configLine).join("\n")}\n`
  );
  return `// Options of bjoern and their defaults. What the command line says comes before this.
// \${NAME} in a text is the environment's; \${NAME:-text} is text when there is none.
{
${groups.join("\n")}}
`;
}

function packageText(name: string): string {
  const scope = native.name === "bun"
    ? {
      name: name.toLowerCase(),
      private: true,
      type: "module",
      scripts: { start: `bjoern ${SERVED}` },
      dependencies: { "@x/bjoern": `^${version}` },
    }
    : {
      tasks: { start: `deno run -A jsr:@x/bjoern@^${version}/cli ${SERVED}` },
      imports: { "@x/bjoern": `jsr:@x/bjoern@^${version}` },
    };
  return `${JSON.stringify(scope, null, 2)}\n`;
}

/** File names and texts. */
function files(name: string, directory: string): [name: string, text: string][] {
  const commands = {
    bun: `node_modules/@x/bjoern/dist/cli.js ${SERVED}`,
    deno: `run -A jsr:@x/bjoern@^${version}/cli ${SERVED}`,
  };
  return [
    ["app.ts", APP],
    ["bjoern.jsonc", configText()],
    [`${name}.service`, service(name, directory, native.name, process.execPath, commands)],
    [`${name}.socket`, socket(name)],
    [native.name === "bun" ? "package.json" : "deno.json", packageText(name)],
  ];
}

function write(directory: string, all: [name: string, text: string][]): void {
  const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const paths = all.map(([file, text]) => [join(directory, file), text]);
  const taken = paths.map(([path]) => path).filter(exists);
  if (taken.length > 0) {
    throw new Failure(1, `${taken.join(", ")}: not overwritten, nothing is written`);
  }
  mkdirSync(directory, { recursive: true });
  for (const [path, text] of paths) {
    writeFileSync(path, text, { flag: "wx" });
    console.log(path);
  }
}

/** Writes the files, none when one is there already, and returns the exit status. */
export function init(args: string[]): number {
  if (args.length !== 1 || args[0].startsWith("-")) {
    throw new Failure(2, "init takes one directory: bjoern init DIR");
  }
  const directory = resolve(args[0]);
  const name = basename(directory);
  if (!/^[a-z0-9][\w.-]*$/i.test(name)) {
    throw new Failure(2, `"${name}" cannot name a systemd unit: letters, digits, "_", "." and "-"`);
  }
  try {
    write(args[0], files(name, directory));
  } catch (error) {
    if (error instanceof Failure) {
      throw error;
    }
    throw new Failure(1, `Cannot write to ${args[0]}: ${(error as Error).message}`);
  }
  return 0;
}
