import { writeSync } from "node:fs";
import { emitKeypressEvents, type Key } from "node:readline";
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
  readonly #onKeypress: (text: string | undefined, key: Key) => void;

  /**
   * Takes the terminal. `onKey` gets each key: what it writes, or a name such as `up` and `ctrl-c`. `onResize` is called
   * after a change of its size.
   */
  constructor(onKey: (key: string) => void, onResize: () => void) {
    this.#onKeypress = (text, { name = "", ctrl }) => {
      if (ctrl) onKey(`ctrl-${name}`);
      else onKey(name === "up" || name === "down" ? name : (text ?? name));
    };
    emitKeypressEvents(process.stdin);
    process.once("exit", this.#onExit);
    process.stdin.setRawMode(true).on("keypress", this.#onKeypress).resume();
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
    const rest = lines.length < this.size.rows ? "\r\n\u001B[J" : "";
    standardOutput().post(`\u001B[H${text}${rest}`);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    process.off("exit", this.#onExit);
    process.stdout.removeAllListeners("resize");
    process.stdin.off("keypress", this.#onKeypress).pause().setRawMode(false);
    standardOutput().post(leave);
  }
}
