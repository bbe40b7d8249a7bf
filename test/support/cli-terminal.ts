import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { cliMain } from "./run-cli.ts";
import { settled, until } from "./until.ts";

/** A command on a terminal of its own. */
export class CliTerminal {
  readonly #child;
  readonly #ended;
  /** All that the terminal shows. */
  shown = "";
  /** Up to where `answer` has looked. */
  #seen = 0;

  /** Starts the compiled command line, after a shell command `before`; it is ended with the test. */
  constructor(context: TestContext, words: readonly string[], before = "") {
    const program = [process.execPath, cliMain, ...words].map((word) => `'${word}'`).join(" ");
    const command = before === "" ? program : `${before}; ${program}`;
    this.#child = spawn("script", ["-qefc", command, "/dev/null"], {
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.shown += text));
    this.#ended = once(this.#child, "close");
    context.after(() => this.#child.kill("SIGKILL"));
  }

  /** Waits for a question that was not shown before, then types the answer and Enter. */
  async answer(question: string, text: string): Promise<void> {
    await this.type(question, `${text}\r`);
  }

  /** Waits for a question that was not shown before, then types. */
  async type(question: string, keys: string): Promise<void> {
    const place = (): number => this.shown.indexOf(question, this.#seen);
    await until(() => place() >= 0, `the terminal asks "${question}"`, {
      state: () => this.shown,
      giveUp: () => {
        if (this.#child.exitCode !== null) throw new Error(`it has ended: ${this.shown}`);
      },
    });
    this.#seen = place() + question.length;
    this.#child.stdin.write(keys);
  }

  /** The exit code. */
  async end(): Promise<number | null> {
    const [exitCode] = await settled(this.#ended, "the command has ended");
    return exitCode as number | null;
  }
}
