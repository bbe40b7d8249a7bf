import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

// Below the kernel's range for outgoing connections, so that no client takes the port of a broker
// that is down for a while (a client may even connect to itself).
const lowestPort = 20_000;
const highestPort = 32_000;

/**
 * Returns `count` different TCP ports of 127.0.0.1 that nobody listens on. Until this process ends no other one
 * gets them from here, even before the broker has started that they are for, or while it is down.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(lowestPort, highestPort);
    if ((await isFree(port)) && (await reserve(port))) ports.push(port);
  }
  return ports;
}

/** Reserves a port for this process: it holds the UDP port of the same number. False if another one does. */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4").unref();
    socket.once("error", () => {
      resolve(false);
    });
    socket.bind({ address: "127.0.0.1", port, exclusive: true }, () => {
      resolve(true);
    });
  });
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
