/**
 * The two globals replaced while a server runs, by true subclasses of the native classes.
 *
 * @module
 */
import { Request } from "./request.ts";
import { forgetLastBody, Response } from "./response.ts";

const natives = { Request: globalThis.Request, Response: globalThis.Response };
const ours = { Request, Response };
let users = 0;

/** Replaces the native classes with ours. */
export function patchGlobals(): void {
  if (users++ === 0) {
    Object.assign(globalThis, ours);
  }
}

/** Undoes that with the last user, unless somebody else has replaced them since. */
export function restoreGlobals(): void {
  if (--users > 0) {
    return;
  }
  forgetLastBody();
  if (globalThis.Request === ours.Request) {
    globalThis.Request = natives.Request;
  }
  if (globalThis.Response === ours.Response) {
    globalThis.Response = natives.Response;
  }
}
