// bjoern, the same on both runtimes.
import { type Options, run, sendFile } from "../../mod.ts";
import { sendBy } from "../handlers/files.ts";
import { handler, idle, spin } from "./handler.ts";

sendBy((path) => sendFile(path, { contentType: "application/octet-stream" }));

const options: Options = {};
if (idle !== undefined) {
  options.keepAliveTimeout = idle * 1000;
}
if (spin !== undefined) {
  options.spin = spin;
}
const server = run(handler, "127.0.0.1", 0, options);
console.log(server.port);
