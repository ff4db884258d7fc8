// Files to send, and how each server sends them.
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { bytes } from "./data.ts";

/** How a server sends the file at `path`. */
export type Sender = (path: string) => Response | Promise<Response>;

let sender: Sender | undefined;

/** Called by the program that serves. */
export function sendBy(way: Sender): void {
  sender = way;
}

const folder = join(import.meta.dirname!, "../../zig-out/bench");

/** A file of so many MiB, made if it does not exist. */
export function fileOf(mebibytes: number): string {
  const path = join(folder, `${mebibytes}m`);
  if (!existsSync(path) || statSync(path).size !== mebibytes << 20) {
    mkdirSync(folder, { recursive: true });
    const making = `${path}.${process.pid}`;
    writeFileSync(making, "");
    for (let i = 0; i < mebibytes; i++) {
      writeFileSync(making, bytes(1 << 20), { flag: "a" });
    }
    renameSync(making, path);
  }
  return path;
}

/** A handler that answers with that file. */
export function serveFile(mebibytes: number): () => Response | Promise<Response> {
  const path = fileOf(mebibytes);
  return () => sender!(path);
}
