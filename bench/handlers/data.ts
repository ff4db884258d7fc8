/** Text of `size` octets. */
export const text = (size: number): string => "0123456789abcdef".repeat(size / 16);

/** {@linkcode text} as bytes. */
export const bytes = (size: number): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(text(size));

/** Ten keys of the kinds that an API sends, a new object each time. */
export const record = (): Record<string, unknown> => ({
  id: 4711,
  name: "Björn",
  email: "bjoern@example.org",
  active: true,
  score: 99.5,
  tags: ["fast", "small"],
  manager: null,
  city: "Uppsala",
  zip: "75310",
  since: "2026-11-20T12:00:00Z",
});

/** The parts of the streamed response. */
export const CHUNKS = 100;

/** One part of the streamed response. */
export const chunk: Uint8Array<ArrayBuffer> = bytes(1024);

/** What an SSE client is sent once a second. */
export const EVENT = 'data: {"tick":true}\n\n';
