import { EVENT } from "./data.ts";

const event = new TextEncoder().encode(EVENT);

/** Sends one event at once and then one per second for as long as the client listens. */
export default (): Response => {
  let timer: ReturnType<typeof setInterval>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(event);
      timer = setInterval(() => controller.enqueue(event), 1000);
    },
    cancel() {
      clearInterval(timer);
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
};
