import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { mebibyte } from "../../units.ts";
import {
  commonShape,
  parsedString,
  type ResolvedSinkOptions,
  resolveCommon,
} from "../common-options.ts";
import { assertPath } from "../path-option.ts";
import type { ResolveContext } from "../secret-reference.ts";
import { invalidUrl } from "../server-url.ts";

/** Entry of a file sink: rotating files, one JSON event a line. */
export const fileSinkOptions = z
  .strictObject({
    ...commonShape({
      batchEvents: 1000,
      batchBytes: 4 * mebibyte,
      lingerMs: 5,
      maxEventBytes: 16 * mebibyte,
    }),
    url: parsedString(parseFileUrl).describe(
      "`file:///absolute/directory`, or `file:directory` relative to the configuration file.",
    ),
    maxFileBytes: z
      .int()
      .min(4096)
      .default(64 * mebibyte)
      .describe("Maximum size of a file, in bytes; a larger event gets a file of its own."),
    maxFiles: z
      .int()
      .min(0)
      .default(16)
      .describe("How many files are kept, including the current one; 0 keeps all."),
  })
  .describe("Writes events to rotating files, one JSON event a line.");

/** Options of a file sink, resolved. */
export interface ResolvedFileSinkOptions extends ResolvedSinkOptions {
  /** Absolute path; created when needed. Only one process may write to it at a time. */
  readonly directory: string;
  /** A new file starts before the current one would exceed this size, in bytes. Default 64 MiB. */
  readonly maxFileBytes: number;
  /** Files that are kept, including the current one; 0 keeps all. Default 16. */
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
  const path = pathOfUrl(url);
  assertPath(path);
  return path;
}

function pathOfUrl(url: string): string {
  const relative = /^file:([^/].*)$/.exec(url)?.[1];
  if (relative !== undefined) return relative;
  if (!url.startsWith("file:///")) {
    throw invalidUrl("the URL must look like file:///directory or file:relative/directory");
  }
  try {
    return fileURLToPath(url);
  } catch {
    throw invalidUrl("the URL does not name a directory on this machine");
  }
}
