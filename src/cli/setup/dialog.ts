import { createInterface, type Interface } from "node:readline/promises";
import { Writable } from "node:stream";
import { exitCodes } from "../exit-codes.ts";
import { say } from "../output.ts";

/** Questions on a terminal: they go to standard error, the answers come from standard input. */
export interface Dialog {
  /** The answer, without white space around it; the default for an empty one. */
  ask(question: string, defaultAnswer?: string): Promise<string>;
  /** The answer as it was typed, which the terminal does not show. */
  askSecret(question: string): Promise<string>;
  /** True if the answer begins with y. */
  confirm(question: string): Promise<boolean>;
  close(): void;
}

/** A dialog, if standard input and standard error are a terminal. */
export function openDialog(): Dialog | undefined {
  return process.stdin.isTTY && process.stderr.isTTY ? new TerminalDialog() : undefined;
}

class TerminalDialog implements Dialog {
  readonly #lines: Interface;
  #isMuted = false;
  #isClosed = false;

  constructor() {
    const output = new Writable({
      write: (chunk: Buffer, _, done) => {
        // What readline echoes goes through here, too.
        if (this.#isMuted) done();
        else process.stderr.write(chunk, done);
      },
    });
    // No history: it would hold the passwords.
    this.#lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
    this.#lines.on("SIGINT", () => this.#lines.close());
    this.#lines.on("close", () => {
      if (!this.#isClosed) interrupted();
    });
  }

  async ask(question: string, defaultAnswer = ""): Promise<string> {
    const shown = defaultAnswer === "" ? question : `${question} [${defaultAnswer}]`;
    return (await this.#lines.question(`${shown}: `)).trim() || defaultAnswer;
  }

  async askSecret(question: string): Promise<string> {
    process.stderr.write(`${question}: `);
    this.#isMuted = true;
    try {
      return await this.#lines.question("");
    } finally {
      this.#isMuted = false;
      process.stderr.write("\n");
    }
  }

  async confirm(question: string): Promise<boolean> {
    return /^y/i.test(await this.ask(`${question} [y/N]`));
  }

  close(): void {
    this.#isClosed = true;
    this.#lines.close();
  }
}

/** The end of the input, or Ctrl-C: nothing is written before the last question. */
function interrupted(): void {
  say("\ncertwire: interrupted, nothing was changed");
  process.exit(exitCodes.interrupted);
}
