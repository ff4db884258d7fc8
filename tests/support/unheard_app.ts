// Something goes wrong on `/throws`, and to say so may fail, too. Run by itself, onError fails as well.
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
