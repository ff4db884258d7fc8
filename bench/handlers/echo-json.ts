/** Parses a JSON body and sends it back. */
export default async (request: Request): Promise<Response> => Response.json(await request.json());
