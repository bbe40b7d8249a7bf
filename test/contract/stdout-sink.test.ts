import { Writable } from "node:stream";
import { resolveStdoutSink, stdoutSinkOptions } from "../../src/sinks/stdout/options.ts";
import { StdoutSink } from "../../src/sinks/stdout/sink.ts";
import { testSinkContract } from "./sink-contract.ts";

testSinkContract({
  name: "stdout",
  async setUp() {
    const options = resolveStdoutSink(stdoutSinkOptions.parse({ name: "out", url: "stdout:" }));
    const chunks: Buffer[] = [];
    const slowStream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        setTimeout(done, 1);
      },
    });
    return {
      create: () => new StdoutSink(options, slowStream),
      async read() {
        const lines = Buffer.concat(chunks).toString("utf8").split("\n");
        return lines.filter(Boolean).map((line) => JSON.parse(line));
      },
    };
  },
});
