import { type IncomingHttpHeaders, request } from "node:http";
import { request as requestTls } from "node:https";
import { connect, type Socket } from "node:net";

/** What an endpoint answered. */
export interface HttpAnswer {
  readonly code: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a request is made; with `ca` by TLS. */
export interface HttpQuestion {
  readonly port?: number;
  readonly socketPath?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string;
  readonly body?: string;
}

/** Sends one request on a connection of its own. Rejects with the error of the connection. */
export function ask(path: string, question: HttpQuestion): Promise<HttpAnswer> {
  const { body, ca, ...options } = question;
  return new Promise((resolve, reject) => {
    const make = ca === undefined ? request : requestTls;
    const sent = make(
      { host: "127.0.0.1", path, agent: false, ...options, ...(ca !== undefined && { ca }) },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => (text += part));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({ code: answer.statusCode, headers: answer.headers, body: text }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Opens a connection that says nothing by itself; its errors are ignored. */
export function dial(port: number): { socket: Socket; closed: Promise<void> } {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined);
  socket.resume();
  return { socket, closed };
}
