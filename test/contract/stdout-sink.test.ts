import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { resolveStdoutSink, stdoutSinkOptions } from "../../src/sinks/stdout/options.ts";
import { StdoutSink } from "../../src/sinks/stdout/sink.ts";
import { until } from "../support/until.ts";
import { testSinkContract } from "./sink-contract.ts";

/** A process that reads a pipe and passes everything on, like one after `certwire run |`. */
class PipeReader {
  readonly pipe: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #kill: () => Promise<unknown>;

  constructor() {
    const script = "process.stdin.pipe(process.stdout)";
    const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.on("data", (chunk: Buffer) => void this.#chunks.push(chunk));
    const ended = once(child, "close");
    this.pipe = child.stdin as Socket;
    this.#kill = () => {
      child.kill("SIGKILL");
      return ended;
    };
  }

  /** Everything that was ever written into the pipe. */
  async text(): Promise<string> {
    const content = (): Buffer => Buffer.concat(this.#chunks);
    await until(() => content().length === this.pipe.bytesWritten, "the pipe is empty");
    return content().toString("utf8");
  }

  /** Lets the reader take what is in the pipe, and ends it. */
  async end(): Promise<void> {
    await this.text();
    await this.#kill();
  }
}

testSinkContract({
  name: "stdout",
  async setUp(context) {
    const options = resolveStdoutSink(stdoutSinkOptions.parse({ name: "out", url: "stdout:" }));
    const readers = [new PipeReader()];
    const last = (): PipeReader => readers.at(-1)!;
    context.after(() => last().end());
    return {
      needsRestart: true,
      create: () => new StdoutSink(options, last().pipe),
      async read() {
        const texts = await Promise.all(readers.map((reader) => reader.text()));
        const lines = texts.join("").split("\n");
        return lines.filter(Boolean).map((line) => JSON.parse(line));
      },
      breakDown: () => last().end(),
      async repair() {
        readers.push(new PipeReader());
      },
    };
  },
});
