import { text } from "./data.ts";

const body = text(1024 * 1024);

/** A string of 1 MiB each time. */
export default (): Response => new Response(body);
