import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/**
 * A server that takes connections and says nothing: its port, and how many it has taken, and has open. It listens on
 * `host`, an address of this machine.
 */
export async function startMuteServer(context: Pick<TestContext, "after">, host = "127.0.0.1") {
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => undefined).resume();
  });
  server.listen(0, host);
  await once(server, "listening");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections, open: () => open.size };
}
