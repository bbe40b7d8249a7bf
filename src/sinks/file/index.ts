export { fileSinkOptions, type ResolvedFileSinkOptions, resolveFileSink } from "./options.ts";
export { FileSink } from "./sink.ts";
