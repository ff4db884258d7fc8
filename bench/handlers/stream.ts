import { chunk, CHUNKS } from "./data.ts";

/** A response in a hundred parts, each made on demand. */
export default (): Response => {
  let left = CHUNKS;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(chunk);
      if (--left === 0) {
        controller.close();
      }
    },
  });
  return new Response(body, { headers: { "content-type": "application/octet-stream" } });
};
