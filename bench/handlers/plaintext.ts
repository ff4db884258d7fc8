/** The least a handler can do. */
export default (): Response => new Response("Hello, World!");
