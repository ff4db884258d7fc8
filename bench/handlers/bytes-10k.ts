import { bytes } from "./data.ts";

const body = bytes(10 * 1024);

/** The same bytes of 10 KiB each time. */
export default (): Response =>
  new Response(body, { headers: { "content-type": "application/octet-stream" } });
