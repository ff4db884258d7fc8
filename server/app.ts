/**
 * What can be served: a handler function, or an object with one.
 *
 * @module
 */
import { refuseBeside } from "./options.ts";
import type { Handler } from "./types.ts";

type Fetch = (request: Request, info: unknown) => unknown;

/** Wraps a handler. */
export type Wrap = (handler: Handler<never>) => Handler<never>;

/** The method `name` of `value`, own or inherited, bound to it. */
function method(value: unknown, name: string): Fetch | undefined {
  const isObject = typeof value === "object" && value !== null || typeof value === "function";
  const found: unknown = isObject ? Reflect.get(value as object, name) : undefined;
  return typeof found === "function"
    ? (request, info) => found.call(value, request, info)
    : undefined;
}

/**
 * Finds the handler of an app: `app.fetch`, the app itself, `app.default.fetch`, `app.handle`. The
 * app is never awaited: a Proxy may have any property as `then`. Throws a TypeError if there is
 * none.
 */
export function handlerOf(app: unknown): Handler<never> {
  const handler = method(app, "fetch") ??
    (typeof app === "function" ? app : undefined) ??
    method(method(app, "default") ?? (app as { default?: unknown } | null)?.default, "fetch") ??
    method(app, "handle");
  if (handler === undefined) {
    const what = app === null ? "null" : typeof app;
    throw new TypeError(
      `Cannot serve ${what}: expected a function (request, info) or an object with a fetch method`,
    );
  }
  if (typeof app === "object" && Object.getPrototypeOf(app) === Object.prototype) {
    refuseBeside(app!);
  }
  return handler as Handler<never>;
}
