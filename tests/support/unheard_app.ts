// `/throws` fails, and so may the attempt to report it. Run as a program, its onError fails too.
import process from "node:process";
import { run } from "../../mod.ts";

const app = ({ url }: Request): string => {
  if (url.endsWith("/throws")) {
    throw new Error("on purpose");
  }
  return String(process.pid);
};

export default app;

if (import.meta.main) {
  const onError = () => {
    throw new Error("this as well");
  };
  const server = run(app, { port: 0, onError, handleSignals: true });
  process.stdout.write(`Listening on ${server.url}\n`);
}
