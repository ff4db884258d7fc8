// Uploads of any size go to files, part by part: no faster than the disk writes. Run it with
// bun examples/upload.ts, or
// deno run --allow-ffi --allow-env --allow-read --allow-write examples/upload.ts
// Then: curl -T big.iso http://127.0.0.1:8000/files
import { createHash, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { router } from "../contrib/router.ts";
import { type Handler, run } from "../mod.ts";

/** Writes a request's body to `path`; an incomplete one is removed. */
async function save(request: Request, path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(path, "wx");
  try {
    for await (const part of request.body ?? []) {
      await file.appendFile(part);
      hash.update(part);
      bytes += part.length;
    }
    await file.close();
  } catch (error) {
    await file.close();
    await rm(path);
    throw error;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Stores uploads in `folder`. */
export function uploads(folder: string): Handler {
  const store = async (request: Request) => {
    const name = randomUUID();
    await mkdir(folder, { recursive: true });
    const saved = await save(request, join(folder, name));
    return Response.json({ name, ...saved }, { status: 201 });
  };
  return router({ "/files": { PUT: store, POST: store } });
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), "uploads-"));
  const server = run(uploads(folder), "127.0.0.1", 8000, { maxBodySize: Infinity });
  console.log(`Listening on ${server.url}, files go to ${folder}`);
}
