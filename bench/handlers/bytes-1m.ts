import { bytes } from "./data.ts";

const body = bytes(1024 * 1024);

/** The same bytes of 1 MiB each time. */
export default (): Response =>
  new Response(body, { headers: { "content-type": "application/octet-stream" } });
