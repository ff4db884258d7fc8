/**
 * The two globals that have stand-ins while a server runs: true subclasses of the native classes.
 *
 * @module
 */
import { Request } from "./request.ts";
import { forgetLastBody, Response } from "./response.ts";

const natives = { Request: globalThis.Request, Response: globalThis.Response };
const ours = { Request, Response };
let users = 0;

/** Puts our classes in the place of the native ones. */
export function patchGlobals(): void {
  if (users++ === 0) {
    Object.assign(globalThis, ours);
  }
}

/** Takes that back with the last user, but for what somebody else has put there since. */
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
