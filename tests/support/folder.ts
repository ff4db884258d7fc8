// Folders of files for tests of static files, and which of the files are open.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { serveStatic, type StaticOptions } from "../../contrib/static.ts";
import type { Handler } from "../../mod.ts";
import { type Answer, type Ask, ask, serve, until } from "./client.ts";

/** The default modification time of a test's files (RFC 9110 5.6.7). */
export const CHANGED = "Sun, 06 Nov 1994 08:49:37 GMT";

/** Writes a file, and creates its folders. */
export function put(path: string, content: string | Uint8Array, changed = CHANGED): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, new Date(changed), new Date(changed));
}

/** A temporary folder with files in it; it is removed at the end. */
export function folder(files: Record<string, string | Uint8Array>): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "bjoern-files-")));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    put(join(path, name), content);
  }
  return path;
}

/** The files below `root` that this process has open; always empty except on Linux. */
export function openBelow(root: string): string[] {
  return process.platform !== "linux" ? [] : readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(`${root}/`) ? [path] : [];
    } catch {
      return []; // the descriptor of /proc/self/fd itself
    }
  });
}

/** Asks for a file below `root`, and checks that none is left open. */
export async function askFor(
  root: string,
  what: Ask,
  options: StaticOptions = {},
): Promise<Answer> {
  let answer: Answer;
  const handler = serveStatic(root, options);
  const app: Handler = async (request, info) => {
    const response = await handler(request, info) as Response;
    if (request.method !== "GET" || (response.status !== 200 && response.status !== 206)) {
      assert.deepEqual(openBelow(root), [], "what is not sent is closed");
    }
    return response;
  };
  await serve(app, async (server) => {
    answer = await ask(server, what);
    assert.ok(answer.complete);
  });
  await until(() => openBelow(root).length === 0, "every file is closed");
  return answer!;
}
