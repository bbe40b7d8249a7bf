import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { RestartableServer } from "./restartable-server.ts";

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
  readonly #server: RestartableServer;

  constructor(tls?: TlsKeys) {
    this.#tls = tls;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(request, response).catch(() => response.destroy());
    };
    this.#server = new RestartableServer(() =>
      tls ? createTlsServer(tls, listener) : createServer(listener),
    );
  }

  /** What a request leads to, and its answer. */
  protected abstract answer(request: SiemRequest): SiemAnswer;

  /** Listens, at the same port as before if it did. */
  async start(): Promise<this> {
    await this.#server.start();
    return this;
  }

  /** Refuses connections until it starts again. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  get url(): string {
    const { port } = this.#server;
    return this.#tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
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
    const answer = typeof fault === "object" ? fault : this.answer({ method, path, headers, body });
    if (fault === "lose answer") {
      incoming.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer.body));
  }
}
