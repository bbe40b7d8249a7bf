import { EventEmitter, once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./free-ports.ts";

/**
 * What a proxy does with a connection:
 * - `pass`: forwards both ways;
 * - `black-hole`: keeps it open, reads and forwards nothing; what was held back is forwarded after that;
 * - `cut`: resets it, an open one at once and a new one as soon as it is accepted;
 * - `delay`: forwards everything, each way with a delay in milliseconds.
 */
export type ConnectionMode = "pass" | "black-hole" | "cut" | { readonly delayMs: number };

/** Modes of the proxy as a whole; `refuse` also stops listening, so that connecting fails. */
export type ProxyMode = ConnectionMode | "refuse";

/** Decides what of a connection is forwarded: gets what was read, and returns what is written. */
export interface Interceptor {
  fromClient(bytes: Buffer): Buffer;
  fromServer(bytes: Buffer): Buffer;
}

/** A TCP proxy on 127.0.0.1 whose connections a test can harm. */
export class TcpProxy {
  /** Makes the interceptor of each new connection; without it everything is forwarded. */
  intercept: ((connection: ProxyConnection) => Interceptor) | undefined;
  /** `host:port` that clients connect to; stays the same. */
  readonly address: string;
  readonly #port: number;
  readonly #connections = new Set<ProxyConnection>();
  #target: string | undefined;
  #mode: ProxyMode = "pass";
  #server: Server | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.address = `127.0.0.1:${port}`;
  }

  /** Starts a proxy to `host:port`; without it connections are cut until `setTarget`. */
  static async start(target?: string): Promise<TcpProxy> {
    const [port = 0] = await freePorts(1);
    const proxy = new TcpProxy(port);
    proxy.#target = target;
    await proxy.#listen();
    return proxy;
  }

  /** Sends new connections to another `host:port`. */
  setTarget(target: string): void {
    this.#target = target;
  }

  /** Open connections, the oldest first. */
  get connections(): readonly ProxyConnection[] {
    return [...this.#connections];
  }

  /** Sets the mode of all open and all new connections. */
  async setMode(mode: ProxyMode): Promise<void> {
    this.#mode = mode;
    if (mode === "refuse") {
      await this.#stopListening();
    } else if (this.#server === undefined) {
      await this.#listen();
    }
    for (const connection of this.#connections) {
      connection.setMode(mode === "refuse" ? "cut" : mode);
    }
  }

  /** Resets all connections and stops listening. */
  async close(): Promise<void> {
    await this.setMode("refuse");
  }

  async #listen(): Promise<void> {
    const server = createServer((client) => {
      this.#accept(client);
    });
    server.listen({ host: "127.0.0.1", port: this.#port });
    await once(server, "listening");
    this.#server = server;
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    for (const connection of this.#connections) connection.setMode("cut");
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#mode === "cut" || this.#mode === "refuse" || this.#target === undefined) {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    const connection = new ProxyConnection(client, this.#target, this.#mode, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    connection.interceptor = this.intercept?.(connection);
  }
}

/** One connection through a proxy. */
export class ProxyConnection {
  interceptor: Interceptor | undefined;
  readonly #client: Socket;
  readonly #upstream: Socket;
  #mode: ConnectionMode;
  readonly #changes = new EventEmitter();

  constructor(client: Socket, target: string, mode: ConnectionMode, onClose: () => void) {
    const [host = "", port] = target.split(":");
    this.#client = client;
    this.#upstream = connect({ host, port: Number(port) });
    this.#mode = mode;
    for (const socket of [client, this.#upstream]) {
      socket.setNoDelay(true);
      socket.on("error", () => {
        this.setMode("cut");
      });
    }
    client.once("close", onClose);
    void this.#forward(client, this.#upstream);
    void this.#forward(this.#upstream, client);
  }

  /** Changes the mode of this connection only. */
  setMode(mode: ConnectionMode): void {
    this.#mode = mode;
    this.#changes.emit("mode");
    if (mode !== "cut") return;
    this.#client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
  }

  async #forward(from: Socket, to: Socket): Promise<void> {
    let written = Promise.resolve();
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#untilOpen();
        const forwarded = this.#intercept(from, chunk);
        const mode = this.#mode;
        if (typeof mode === "object") {
          // Later writes wait for earlier ones, but reading continues: a delay, not less bandwidth.
          const dueAt = Date.now() + mode.delayMs;
          written = written.then(() => this.#writeAt(to, forwarded, dueAt));
          written.catch(() => undefined); // Seen below, unless reading fails first.
        } else {
          await written;
          await write(to, forwarded);
        }
      }
      await written;
      to.end();
    } catch {
      this.setMode("cut");
    }
  }

  #intercept(from: Socket, bytes: Buffer): Buffer {
    if (this.interceptor === undefined) return bytes;
    const { interceptor } = this;
    return from === this.#client ? interceptor.fromClient(bytes) : interceptor.fromServer(bytes);
  }

  async #writeAt(to: Socket, chunk: Buffer, dueAt: number): Promise<void> {
    await sleep(Math.max(0, dueAt - Date.now()));
    await this.#untilOpen();
    await write(to, chunk);
  }

  async #untilOpen(): Promise<void> {
    while (this.#mode === "black-hole") await once(this.#changes, "mode");
  }
}

async function write(to: Socket, chunk: Buffer): Promise<void> {
  if (!to.write(chunk)) await once(to, "drain");
}
