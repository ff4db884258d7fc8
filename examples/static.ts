// The files of a folder: ranges, conditional requests, precompressed variants, and a page for
// everything else. Needs mime (bun add mime). Run it with
// bun examples/static.ts public, or deno run --allow-ffi --allow-read examples/static.ts public
import process from "node:process";
import { serveStatic } from "../contrib/static.ts";
import { type Handler, run } from "../mod.ts";

/** The page for everything that is not a file, as in single-page applications. */
const PAGE = "<!doctype html>\n<title>App</title>\n<p>There is no such file.\n";

/** Serves `folder`; assets with a content hash in their name may be cached forever. */
export function site(folder: string): Handler {
  const assets = serveStatic(folder, {
    precompressed: ["br", "gzip"],
    maxAge: 365 * 24 * 3600,
    immutable: true,
  });
  const others = serveStatic(folder, {
    precompressed: ["br", "gzip"],
    notFound: () => new Response(PAGE, { status: 404, headers: { "content-type": "text/html" } }),
  });
  return (request, info) => {
    const isAsset = new URL(request.url).pathname.startsWith("/assets/");
    return (isAsset ? assets : others)(request, info);
  };
}

if (import.meta.main) {
  const server = run(site(process.argv[2] ?? "."), "127.0.0.1", 8000);
  console.log(`Listening on ${server.url}`);
}
