import { z } from "zod";
import { mebibyte } from "../../units.ts";
import { commonShape, type ResolvedSinkOptions, resolveCommon } from "../common-options.ts";

/** Entry of a stdout sink. */
export const stdoutSinkOptions = z
  .strictObject({
    ...commonShape({
      batchEvents: 500,
      batchBytes: mebibyte,
      lingerMs: 5,
      maxEventBytes: 16 * mebibyte,
    }),
    url: z.literal("stdout:").describe("Always `stdout:`."),
  })
  .describe("Writes events to standard output, one JSON event a line.");

/** Resolves an entry that the schema has accepted. */
export function resolveStdoutSink(entry: z.infer<typeof stdoutSinkOptions>): ResolvedSinkOptions {
  return resolveCommon(entry);
}
