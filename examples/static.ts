// The files of a folder: ranges, conditions, precompressed variants, an app for all the rest.
// bun examples/static.ts public
import process from "node:process";
import { serveStatic } from "../contrib/static.ts";
import { type Handler, run } from "../mod.ts";

/** The page of whatever is no file, as single-page applications have it. */
const PAGE = "<!doctype html>\n<title>App</title>\n<p>There is no such file.\n";

/** Serves `folder`; files that bear a hash of their content may be kept for ever. */
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
