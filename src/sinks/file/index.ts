import { join } from "node:path";
import { defineSinkKind } from "../sink-kind.ts";
import { fileSinkOptions, resolveFileSink } from "./options.ts";

/** Rotating files, one JSON event a line. */
export const file = defineSinkKind({
  kind: "file",
  schemes: ["file"],
  options: fileSinkOptions,
  resolve: resolveFileSink,
  destination: ({ directory }) => directory,
  apart: (options, name) => ({ ...options, directory: join(options.directory, name) }),
  async create(options) {
    const { FileSink } = await import("./sink.ts");
    return new FileSink(options);
  },
});
