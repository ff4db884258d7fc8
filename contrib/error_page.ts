/**
 * An error page with details, for development.
 *
 * @module
 */
import { inspect } from "node:util";
import { complain } from "../server/say.ts";

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char]);
}

function titleOf(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message}`
    : `Thrown: ${inspect(error, { depth: 1 })}`;
}

/** Stack, own properties and causes. */
function detailsOf(error: unknown): string {
  return inspect(error, { depth: 4, colors: false });
}

function pageOf(error: unknown): string {
  const title = escape(titleOf(error));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1 { color: #b00020; font-size: 1.25rem; overflow-wrap: anywhere }
pre { background: #f4f4f4; overflow: auto; padding: 1rem }
</style>
<h1>${title}</h1>
<pre>${escape(detailsOf(error))}</pre>
<p>This page is for development only: it shows what no visitor should see.</p>
</html>
`;
}

/**
 * An `onError` that logs the error and shows it to the client: message, stack, causes.
 *
 * Never the default: it reveals paths and data. Use it only where nobody else has access.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 * import { errorPage } from "@x/bjoern/contrib/error_page";
 *
 * const fail = () => {
 *   throw new Error("Where did I put it?");
 * };
 * const server = run(fail, { port: 0, onError: errorPage });
 * console.log((await fetch(server.url)).status); // 500
 * await server.shutdown();
 * ```
 */
export function errorPage(error: unknown): Response {
  complain(error);
  return new Response(pageOf(error), {
    status: 500,
    headers: {
      "content-type": "text/html;charset=UTF-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
