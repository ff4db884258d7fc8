/**
 * The app of the command line: `specifier[:export]`.
 *
 * @module
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { native } from "../../ffi/native.ts";
import { handlerOf } from "../../server/app.ts";
import type { Addr, App } from "../../server/types.ts";
import { Failure } from "./failure.ts";

/** Where an app is. */
export interface AppName {
  /** What is imported. */
  url: string;
  /** Its name in errors and `process.argv`. */
  module: string;
  /** The export. */
  name: string;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * Finds the module. A colon may be part of a file name, `npm:hono` or `file:///app.ts`.
 * Throws a Failure if it is a file that does not exist.
 */
export function findApp(specifier: string): AppName {
  const [, before, after] = /^(.+):([A-Za-z_$][\w$]*)$/s.exec(specifier) ?? [];
  const isWhole = before === undefined || isFile(specifier) || /^(npm|jsr|node)$/.test(before);
  const [module, name] = isWhole ? [specifier, "default"] : [before, after];
  if (/^[a-z][a-z0-9+.-]+:/i.test(module) && !isFile(module) && !module.startsWith("file:")) {
    return { url: module, module, name };
  }
  const path = module.startsWith("file:") ? fileURLToPath(module) : resolve(module);
  if (!isFile(path)) {
    throw new Failure(1, `Cannot load ${module}: there is no such file`);
  }
  return { url: pathToFileURL(path).href, module: path, name };
}

/** Makes the app see its own arguments as if it were run directly. */
export function setArguments(module: string, rest: string[]): void {
  process.argv.splice(1, Infinity, module, ...rest);
  native.showArguments(rest);
}

/** Imports a module. Throws what it throws, or a Failure if a module is missing. */
async function importModule(url: string, module: string): Promise<Record<string, unknown>> {
  try {
    return await import(url);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND") {
      throw error;
    }
    throw new Failure(1, `Cannot load ${module}: ${message.replace(/\s*\n\s*/g, " ")}`);
  }
}

/** Imports the app. Throws a Failure if the module has no such app, or what the module throws. */
export async function loadApp({ url, module, name }: AppName): Promise<App<Addr>> {
  const loaded = await importModule(url, module);
  if (!(name in loaded)) {
    const others = Object.keys(loaded).join(", ") || "nothing";
    throw new Failure(1, `${module} has no export "${name}": it exports ${others}`);
  }
  try {
    handlerOf(loaded[name]);
  } catch (error) {
    throw new Failure(1, `${module}, export "${name}": ${(error as Error).message}`);
  }
  return loaded[name] as App<Addr>;
}
