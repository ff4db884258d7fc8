/**
 * Deno's implementation of `native.ts`. Needs only `--allow-ffi` for the library.
 *
 * Nothing is loaded early: `process` takes 12 ms, `node:net` 16 ms, `setTimeout` 4 ms.
 *
 * @module
 */
import type { SocketConstructorOpts } from "node:net";
import { later } from "./later.ts";
import type { Bytes, Native, Watch } from "./native.ts";
import type { Functions, Table } from "./symbols.ts";

type Descriptor = { name: "env"; variable: string } | { name: "read"; path: string };

interface Deno {
  build: { os: string; arch: string };
  statSync(path: string): unknown;
  dlopen(path: string, table: Table): { symbols: unknown };
  env: { get(name: string): string | undefined };
  permissions: {
    querySync(descriptor: Descriptor): { state: string };
    requestSync(descriptor: { name: "read"; path: string }): { state: string };
  };
  errors: { NotCapable: new (message: string) => Error };
}

const NativeResponse = globalThis.Response;

// The only place where Deno's API is cast to the part used here.
const { Deno: runtime } = globalThis as unknown as { Deno: Deno };

/** With Node's names. */
const ARCHITECTURES: Record<string, string> = { x86_64: "x64", aarch64: "arm64" };

function open<T extends Table>(path: string, table: T): Functions<T> {
  return runtime.dlopen(path, table).symbols as Functions<T>;
}

/** Without the permission, reading it would prompt the user. */
function isGranted(descriptor: Descriptor): boolean {
  return runtime.permissions.querySync(descriptor).state === "granted";
}

/** A timer that loads nothing: `setTimeout` takes 4 ms. */
function after(ms: number, action: () => void): void {
  AbortSignal.timeout(ms).addEventListener("abort", action);
}

async function connect(fd: number, wake: () => void): Promise<Watch> {
  const { Socket } = await import("node:net");
  const options: SocketConstructorOpts = { fd, readable: true, writable: false };
  const socket = new Socket(options);
  socket.on("data", wake);
  return {
    ref: () => void socket.ref(),
    unref: () => void socket.unref(),
    close: () => void socket.destroy(),
  };
}

function sees(path: string): boolean {
  try {
    return isGranted({ name: "read", path }) && runtime.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

/** The basis of `process.on("exit")`. */
function atExit(action: () => void): () => void {
  addEventListener("unload", action);
  return () => removeEventListener("unload", action);
}

/** The library opens files itself, but the user's permissions still apply. */
function checkRead(path: string): void {
  if (runtime.permissions.requestSync({ name: "read", path }).state !== "granted") {
    throw new runtime.errors.NotCapable(
      `Requires read access to "${path}", run again with the --allow-read flag`,
    );
  }
}

/** The setter of `Deno.args` does nothing. */
function showArguments(args: readonly string[]): void {
  Reflect.defineProperty(runtime, "args", { value: [...args], enumerable: true });
}

function env(name: string): string | undefined {
  return isGranted({ name: "env", variable: name }) ? runtime.env.get(name) : undefined;
}

type Fields = [name: string, value: string][];

/** A value that Deno keeps in an object under a symbol. */
function kept(of: object, name: string): (from: object) => unknown {
  const key = Object.getOwnPropertySymbols(of).find((symbol) => symbol.description === name);
  return (from) => key && (from as Record<symbol, unknown>)[key];
}

/** The fields as given; iterating would sort and join them again. */
const listOf = kept(new Headers(), "header list");

/** Deno's internal response. */
const innerOf = kept(new NativeResponse(), "response") as (from: object) => Inner | undefined;

interface Inner {
  body?: { streamOrStatic?: { body?: unknown; consumed?: boolean } };
}

/** Whether a name occurs twice; then it is spelt the same. */
function repeats(fields: Fields): boolean {
  return fields.some(([name], i) => fields.findIndex(([other]) => other === name) < i);
}

function fieldsOf(headers: Headers): Iterable<[name: string, value: string]> {
  const list = listOf(headers);
  return Array.isArray(list) && !repeats(list as Fields) ? list as Fields : headers;
}

/** Deno's own server marks a body as used in the same way. */
function bytesOf(response: Response): Bytes | Promise<Bytes> {
  const held = innerOf(response)?.body?.streamOrStatic;
  if (held?.consumed !== false || !(held.body instanceof Uint8Array)) {
    return NativeResponse.prototype.bytes.call(response);
  }
  held.consumed = true;
  return held.body as Bytes;
}

/** Deno. */
export function deno(): Native {
  const { os, arch } = runtime.build;
  return {
    name: "deno",
    os: os === "windows" ? "win32" : os,
    arch: ARCHITECTURES[arch] ?? arch,
    starves: true,
    hidesTextType: false,
    preparesResponses: true,
    decodes: ["gzip", "br"],
    usesMusl: () => false, // there is no such Deno
    sees,
    open,
    after,
    watch: (fd, wake) => later(connect(fd, wake)),
    atExit,
    shared: (fields) => fields,
    fieldsOf,
    bytesOf,
    checkRead,
    showArguments,
    env,
  };
}
