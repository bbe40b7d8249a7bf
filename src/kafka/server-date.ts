import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { clock } from "../clock.ts";

/** What to ask. */
export interface DateRequest {
  /** An `http:` or `https:` URL. */
  readonly url: string;
  /** CA certificates to trust, in PEM. Default: those that come with Node.js. */
  readonly ca?: string;
  /** Longest wait for the answer, in ms. */
  readonly timeoutMs: number;
}

/** The time of a server, and that of this machine. */
export interface ServerDate {
  /** What the server said in `Date`, in ms since 1970; it counts in seconds. */
  readonly serverMs: number;
  /** The time here when half of the wait was over, in ms since 1970. */
  readonly ownMs: number;
}

/**
 * Asks an HTTP server what time it is, by the `Date` of its answer to a HEAD request without credentials, whatever that
 * answer is. `undefined` if it says no time. Rejects with the error of the connection.
 */
export async function serverDate({
  url,
  ca,
  timeoutMs,
}: DateRequest): Promise<ServerDate | undefined> {
  const askedMs = clock.time();
  const startedAt = clock.now();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { method: "HEAD", agent: false, signal: clock.timeoutSignal(timeoutMs) };
    const request = url.startsWith("https:")
      ? https.request(url, { ...options, ...(ca !== undefined && { ca }) }, resolve)
      : http.request(url, options, resolve);
    request.on("error", reject);
    request.end();
  });
  answer.destroy();
  const serverMs = Date.parse(answer.headers.date ?? "");
  if (Number.isNaN(serverMs)) return undefined;
  return { serverMs, ownMs: askedMs + (clock.now() - startedAt) / 2 };
}
