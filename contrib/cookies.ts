/**
 * Cookies of requests and responses, by npm's `cookie`, which has to be installed beside this.
 *
 * @module
 */
import { parseCookie, stringifySetCookie } from "cookie";
import { refuseUnknown } from "../server/checks.ts";

/** Attributes of a cookie (RFC 6265 section 4.1.2). */
export interface CookieOptions {
  /**
   * Where it applies; `""` leaves it to the client.
   *
   * @default {"/"}
   */
  path?: string;
  /** For which host and its subdomains; by default only for the host that set it. */
  domain?: string;
  /** Seconds that it lasts; by default as long as the browser's session. */
  maxAge?: number;
  /** When it ends. */
  expires?: Date;
  /**
   * Whether scripts cannot see it.
   *
   * @default {false}
   */
  httpOnly?: boolean;
  /**
   * Whether it is sent over TLS only.
   *
   * @default {false}
   */
  secure?: boolean;
  /** Whether it goes along when another site asks; browsers take `"lax"` by default. */
  sameSite?: "strict" | "lax" | "none";
  /**
   * Whether it belongs to the site that embeds the page; needs `secure`.
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
 * Reads the cookies of a request. Values are decoded; a broken escape is left as it is, and of two
 * cookies of one name the first counts, which the client lists by the longer path.
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
 * @throws {TypeError} When the name or an attribute cannot be sent, or there is no such attribute.
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
 * Tells the client to forget a cookie. Path and domain must be those that it was set with.
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
