import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { WriterAnswer, WriterOrder } from "./writer-process.ts";

const file = fileURLToPath(new URL("writer-process.js", import.meta.url));

/** The exit module's writer of a journal, in a process of its own. */
export class JournalWriter {
  readonly #process: ChildProcess;

  constructor(directory: string) {
    this.#process = fork(file, [directory], { serialization: "advanced" });
  }

  /** Has it carry out an order, and returns its answer. */
  async order(order: WriterOrder): Promise<WriterAnswer> {
    const answer = once(this.#process, "message");
    this.send(order);
    const [message] = (await answer) as [WriterAnswer];
    return message;
  }

  /** Gives it an order whose answer nobody waits for. */
  send(order: WriterOrder): void {
    this.#process.send(order);
  }

  /** Ends the process with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}
