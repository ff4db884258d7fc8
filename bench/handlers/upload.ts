/** Reads a body part by part and discards it. */
export default async (request: Request): Promise<Response> => {
  let size = 0;
  for await (const part of request.body!) {
    size += part.byteLength;
  }
  return new Response(String(size));
};
