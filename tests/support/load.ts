// Sends requests to the server at the given port for as long as it runs: eight connections with 16
// requests in flight each.
import { connect } from "node:net";
import process from "node:process";

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const END = "Hello, World!";

for (let i = 0; i < 8; i++) {
  const socket = connect({ host: "127.0.0.1", port: Number(process.argv.at(-1)) });
  let rest = "";
  socket.on("connect", () => socket.write(request.repeat(16)));
  socket.on("data", (data) => {
    const parts = (rest + data).split(END);
    rest = parts.pop()!;
    socket.write(request.repeat(parts.length));
  });
  socket.on("error", () => {});
}
