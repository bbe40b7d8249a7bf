import { defineSinkKind } from "../sink-kind.ts";
import { resolveStdoutSink, stdoutSinkOptions } from "./options.ts";

/** Standard output, one JSON event a line. */
export const stdout = defineSinkKind({
  kind: "stdout",
  schemes: ["stdout"],
  options: stdoutSinkOptions,
  resolve: resolveStdoutSink,
  destination: () => "stdout",
  // The reader may have stopped reading; what was not written is sent again by the next replay.
  replayDrainMs: 500,
  async create(options) {
    const { StdoutSink } = await import("./sink.ts");
    return new StdoutSink(options);
  },
});
