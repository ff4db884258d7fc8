/**
 * Cookies of requests and responses, using npm's `cookie`, which must be installed separately.
 *
 * @module
 */
import { parseCookie, stringifySetCookie } from "cookie";
import { refuseUnknown } from "../server/checks.ts";

/** Attributes of a cookie (RFC 6265 section 4.1.2). */
export interface CookieOptions {
  /**
   * The path it applies to; `""` leaves it to the client.
   *
   * @default {"/"}
   */
  path?: string;
  /** The host it applies to, with subdomains; by default only the host that set it. */
  domain?: string;
  /** Lifetime in seconds; by default the browser's session. */
  maxAge?: number;
  /** When it expires. */
  expires?: Date;
  /**
   * Whether it is hidden from scripts.
   *
   * @default {false}
   */
  httpOnly?: boolean;
  /**
   * Whether it is only sent over TLS.
   *
   * @default {false}
   */
  secure?: boolean;
  /** Whether it is sent with cross-site requests; browsers default to `"lax"`. */
  sameSite?: "strict" | "lax" | "none";
  /**
   * Whether it is partitioned by the top-level site; needs `secure`.
   *
   * @default {false}
   */
  partitioned?: boolean;
}

const ATTRIBUTES: (keyof CookieOptions)[] = [
  "path",
  "domain",
  "maxAge",
  "expires",
  "httpOnly",
  "secure",
  "sameSite",
  "partitioned",
];

/**
 * Reads the cookies of a request. Values are decoded, except for broken escapes; of two cookies
 * with one name the first is used, which has the longer path.
 *
 * @example
 * ```ts
 * import { cookies } from "@x/bjoern/contrib/cookies";
 *
 * const request = new Request("http://localhost/", { headers: { cookie: "theme=dark" } });
 * console.log(cookies(request).theme); // dark
 * ```
 */
export function cookies(request: Request): Readonly<Record<string, string | undefined>> {
  return parseCookie(request.headers.get("cookie") ?? "");
}

/**
 * Adds a cookie to the headers of a response. The value is encoded.
 *
 * @throws {TypeError} If the name or an attribute is invalid, or an attribute is unknown.
 *
 * @example
 * ```ts
 * import { setCookie } from "@x/bjoern/contrib/cookies";
 *
 * const response = new Response("Welcome");
 * setCookie(response.headers, "theme", "dark", { maxAge: 3600, httpOnly: true });
 * console.log(response.headers.getSetCookie());
 * ```
 */
export function setCookie(
  headers: Headers,
  name: string,
  value: string,
  options: CookieOptions = {},
): void {
  refuseUnknown(options, ATTRIBUTES, "setCookie().");
  const { path = "/", ...attributes } = options;
  const where = path === "" ? {} : { path };
  headers.append("set-cookie", stringifySetCookie({ name, value, ...where, ...attributes }));
}

/**
 * Deletes a cookie. Path and domain must be those it was set with.
 *
 * @throws {TypeError} If the name or an attribute is invalid, or an attribute is unknown.
 *
 * @example
 * ```ts
 * import { deleteCookie } from "@x/bjoern/contrib/cookies";
 *
 * const response = new Response("Goodbye");
 * deleteCookie(response.headers, "theme");
 * console.log(response.headers.getSetCookie());
 * ```
 */
export function deleteCookie(
  headers: Headers,
  name: string,
  options: Omit<CookieOptions, "maxAge" | "expires"> = {},
): void {
  setCookie(headers, name, "", { ...options, maxAge: 0, expires: new Date(0) });
}
