import type { ConnectionOptions } from "node:tls";
import { type ChannelModel, connect, type Options } from "amqplib";
import { abortable, cutOff, endOf, patchHandshake } from "./amqplib.ts";

/** How to connect. */
export interface ConnectOptions {
  /** What the broker shows as the connection's name. */
  readonly name: string;
  /** Longest wait for the broker, in ms. */
  readonly timeoutMs: number;
  /** Options of TLS. Default none. */
  readonly tls?: Pick<ConnectionOptions, "secureContext" | "servername"> | undefined;
  /** Ends the attempt. Default none. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a broker, by a URL or amqplib's options. The connection has a listener for
 * its errors, since one without would end the process; why it ended is up to its owner to ask. Rejects with what amqplib
 * throws, also when the connection ended in the same read as it opened.
 */
export async function connectAmqp(
  address: string | Options.Connect,
  { name, timeoutMs, tls, signal }: ConnectOptions,
): Promise<ChannelModel> {
  patchHandshake();
  // Of its own, since a socket never lets go of its signal.
  const attempt = new AbortController();
  const stop = (): void => attempt.abort();
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    const model = await connect(address, {
      timeout: timeoutMs,
      noDelay: true,
      keepAlive: true,
      ...abortable(attempt.signal),
      clientProperties: { connection_name: name },
      ...tls,
    });
    model.on("error", () => undefined);
    const error = endOf(model.connection);
    if (error === undefined) return model;
    cutOff(model.connection, error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
