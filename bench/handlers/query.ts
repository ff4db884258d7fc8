/** Reads two parameters of a query, one of them escaped. */
export default (request: Request): Response => {
  const { searchParams } = new URL(request.url);
  return new Response(`${searchParams.get("name")} ${searchParams.get("page")}`);
};
