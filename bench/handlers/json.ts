import { record } from "./data.ts";

/** Ten keys as JSON. */
export default (): Response => Response.json(record());
