/** Sends a body back as it came. */
export default async (request: Request): Promise<Response> =>
  new Response(await request.arrayBuffer(), {
    headers: { "content-type": "application/octet-stream" },
  });
