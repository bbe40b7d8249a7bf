import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the kernel's range for outgoing connections, so that no client takes the port of a broker
// that is down for a while (a client may even connect to itself).
const lowestPort = 20_000;
const highestPort = 32_000;

/** Returns `count` different TCP ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(lowestPort, highestPort);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
