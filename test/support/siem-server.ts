import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** An answer in JSON. */
export interface SiemAnswer {
  readonly status: number;
  readonly body: object;
}

/**
 * What happens to one request instead of its answer: `reset` cuts the connection before it is read, `lose answer` after it
 * has had its effect; an answer is given without any effect.
 */
export type SiemFault = "reset" | "lose answer" | SiemAnswer;

/** A request, read to its end. */
export interface SiemRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Certificate and key in PEM. */
interface TlsKeys {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A stand-in of a SIEM on 127.0.0.1, whose requests a test can make fail. */
export abstract class SiemServer {
  /** What happens to the next requests, one each. */
  readonly faults: SiemFault[] = [];
  /** Requests that came, with those that failed. */
  requests = 0;
  readonly #tls: TlsKeys | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(tls?: TlsKeys) {
    this.#tls = tls;
  }

  /** What a request leads to, and its answer. */
  protected abstract answer(request: SiemRequest): SiemAnswer;

  /** Listens, at the same port as before if it did. */
  async start(): Promise<this> {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(request, response).catch(() => response.destroy());
    };
    const server = this.#tls ? createTlsServer(this.#tls, listener) : createServer(listener);
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Refuses connections until it starts again. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  get url(): string {
    return this.#tls ? `https://localhost:${this.#port}` : `http://127.0.0.1:${this.#port}`;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.faults.shift();
    this.requests += 1;
    if (fault === "reset") {
      incoming.socket.resetAndDestroy();
      return;
    }
    let body = "";
    for await (const chunk of incoming.setEncoding("utf8")) body += String(chunk);
    const { method = "", url: path = "", headers } = incoming;
    const answer =
      typeof fault === "object" ? fault : this.answer({ method, path, headers, body });
    if (fault === "lose answer") {
      incoming.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer.body));
  }
}
