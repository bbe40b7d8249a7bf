export { resolveStdoutSink, stdoutSinkOptions } from "./options.ts";
export { StdoutSink } from "./sink.ts";
