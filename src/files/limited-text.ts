import { open } from "node:fs/promises";
import { readFlags } from "./append-file.ts";

/**
 * Reads a file that Certwire has written, as UTF-8. Rejects with a RangeError if it is larger than `maxBytes`, and else
 * with the error of the file system: ELOOP for a link, ENOENT if nothing is there.
 */
export async function readLimitedText(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, readFlags);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw new RangeError(`larger than ${maxBytes} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
