// The development error page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorPage } from "../contrib/error_page.ts";
import { ask, logged, serve } from "./support/client.ts";

class OddError extends Error {
  override name = "OddError";
}

const THROWN: Record<string, () => unknown> = {
  "/error": () =>
    new OddError("<script>alert('1 & 2')</script>", { cause: new Error("the cause") }),
  "/text": () => "<b>only text</b>",
  "/undefined": () => undefined,
};

const app = (_request: Request, { rawTarget }: { rawTarget: string }) => {
  throw THROWN[rawTarget]();
};

test("the page shows message, stack and cause, escaped, and logs the error", async () => {
  const lines = await logged(() =>
    serve(app, async (server) => {
      const answer = await ask(server, { target: "/error" });
      assert.equal(answer.status, 500);
      assert.equal(answer.get("content-type"), "text/html;charset=UTF-8");
      assert.equal(answer.get("cache-control"), "no-store");
      assert.match(answer.text, /<title>OddError: &lt;script&gt;/);
      assert.match(answer.text, /error_page_test\.ts/);
      assert.match(answer.text, /the cause/);
      assert.ok(!answer.text.includes("<script>"));
    }, { onError: errorPage })
  );
  assert.equal(lines.length, 1);
  assert.ok(lines[0][0] instanceof OddError);
});

test("the thrown value need not be an Error", async () => {
  await logged(() =>
    serve(app, async (server) => {
      const text = await ask(server, { target: "/text" });
      assert.match(text.text, /&lt;b&gt;only text&lt;\/b&gt;/);
      assert.match((await ask(server, { target: "/undefined" })).text, /Thrown: undefined/);
    }, { onError: errorPage })
  );
});

test("without the page, the client learns nothing", async () => {
  await logged(() =>
    serve(app, async (server) => {
      const answer = await ask(server, { target: "/error" });
      assert.deepEqual([answer.status, answer.text], [500, "Internal Server Error"]);
    }, { onError: undefined })
  );
});
