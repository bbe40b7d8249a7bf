import type { IncomingMessage } from "node:http";

/** Reads the body of an HTTP message as UTF-8. Rejects with the error of `tooLong` when it has more than `mostBytes`. */
export async function readBody(
  message: IncomingMessage,
  mostBytes: number,
  tooLong: () => Error,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
