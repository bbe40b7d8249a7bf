import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  commonShape,
  parsedString,
  type ResolvedSinkOptions,
  resolveCommon,
} from "../common-options.ts";
import type { ResolveContext } from "../secret-reference.ts";
import { invalidUrl } from "../server-url.ts";

const mebibyte = 1024 * 1024;

/** Entry of a file sink: rotating files of one JSON event a line. */
export const fileSinkOptions = z
  .strictObject({
    ...commonShape({
      batchEvents: 1000,
      batchBytes: 4 * mebibyte,
      lingerMs: 5,
      maxEventBytes: 16 * mebibyte,
    }),
    url: parsedString(parseFileUrl).describe(
      "`file:///absolute/directory`, or `file:relative/directory`, seen from the configuration file.",
    ),
    maxFileBytes: z
      .int()
      .min(4096)
      .default(64 * mebibyte)
      .describe("A new file is begun when the current one would become larger, in bytes."),
    maxFiles: z
      .int()
      .min(0)
      .default(16)
      .describe("How many files are kept, the current one included; 0 keeps all."),
  })
  .describe("Writes events into rotating files, one JSON event a line.");

/** Options of a file sink, resolved. */
export interface ResolvedFileSinkOptions extends ResolvedSinkOptions {
  readonly directory: string;
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

/** Resolves an entry that the schema has accepted. */
export function resolveFileSink(
  entry: z.infer<typeof fileSinkOptions>,
  context: ResolveContext,
): ResolvedFileSinkOptions {
  return {
    ...resolveCommon(entry),
    directory: resolve(context.baseDirectory, parseFileUrl(entry.url)),
    maxFileBytes: entry.maxFileBytes,
    maxFiles: entry.maxFiles,
  };
}

function parseFileUrl(url: string): string {
  const relative = /^file:([^/].*)$/.exec(url)?.[1];
  if (relative !== undefined) return relative;
  if (!url.startsWith("file:///")) {
    throw invalidUrl("the URL must look like file:///directory or file:relative/directory");
  }
  try {
    return fileURLToPath(url);
  } catch {
    throw invalidUrl("the URL is not the URL of a directory on this machine");
  }
}
