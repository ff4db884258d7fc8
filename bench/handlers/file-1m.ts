import { serveFile } from "./files.ts";

/** A file of 1 MiB, in each server's own way. */
export default serveFile(1);
