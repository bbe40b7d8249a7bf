import { once } from "node:events";
import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A server of a test that stops, and starts again at the same port. */
export class RestartableServer {
  readonly #make: () => Server | TlsServer;
  #server: Server | TlsServer | undefined;
  #port = 0;

  /** `make` is called at each start. */
  constructor(make: () => Server | TlsServer) {
    this.#make = make;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, at the same port as before if it did. */
  async start(): Promise<void> {
    const server = this.#make();
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses connections until it starts again. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
}
