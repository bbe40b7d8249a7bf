import { writeSync } from "node:fs";
import { standardOutput } from "../../files/standard-output.ts";
import type { ScreenSize } from "./top-screen.ts";

/** Another screen, without cursor and without wrapped lines; and back. */
const enter = "\u001B[?1049h\u001B[?25l\u001B[?7l";
const leave = "\u001B[?7h\u001B[?25h\u001B[?1049l";

/** Of a terminal that does not know its size. */
const usual: ScreenSize = { columns: 80, rows: 24 };

/** The whole terminal of this process: draws screens and passes keys on. */
export class ScreenTerminal {
  readonly #onExit = () => writeSync(process.stdout.fd, leave);
  readonly #keys: (text: string) => void;

  /** Takes the terminal. `onKey` gets each key as the terminal sends it, `onResize` is called after a change of its size. */
  constructor(onKey: (key: string) => void, onResize: () => void) {
    this.#keys = (text) => {
      // Several keys may come at once; one that begins with ESC is a sequence.
      for (const [key] of text.matchAll(/\u001B(?:\[[\d;]*[A-Za-z~]|O[A-Z])?|[^\u001B]/gu))
        onKey(key);
    };
    process.once("exit", this.#onExit);
    process.stdin.setRawMode(true).setEncoding("utf8").on("data", this.#keys).resume();
    process.stdout.on("resize", onResize);
    standardOutput().post(enter);
  }

  get size(): ScreenSize {
    const { columns, rows } = process.stdout;
    return { columns: columns || usual.columns, rows: rows || usual.rows };
  }

  /** Draws lines in one write, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    // Erased first: after a line of the whole width the cursor stands on its last character.
    const text = lines.map((line) => `\u001B[2K${line}`).join("\r\n");
    standardOutput().post(`\u001B[H${text}\u001B[J`);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    process.off("exit", this.#onExit);
    process.stdout.removeAllListeners("resize");
    process.stdin.off("data", this.#keys).pause().setRawMode(false);
    standardOutput().post(leave);
  }
}
