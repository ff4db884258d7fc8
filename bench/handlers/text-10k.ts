import { text } from "./data.ts";

const body = text(10 * 1024);

/** A string of 10 KiB each time. */
export default (): Response => new Response(body);
