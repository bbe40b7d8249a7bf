import type { ResolvedConfig } from "../../config/load.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { pause } from "../../pipeline/waiting.ts";
import { findLiveStatus } from "../find-status.ts";
import { stopSignal } from "../stop-signal.ts";
import { RateMeter } from "../top/rates.ts";
import { ScreenTerminal } from "../top/screen-terminal.ts";
import { sortedSinks, sortKeys, type TopView, topScreen } from "../top/top-screen.ts";

/** The options of `certwire top`. */
export interface TopOptions {
  readonly config: string;
  /** In seconds. */
  readonly interval: number;
}

/** `certwire top`: the status on the whole terminal, again and again. */
export async function top({ config: file, interval }: TopOptions): Promise<void> {
  assertTerminal();
  const { loadConfig } = await import("../../config/load.ts");
  const config = loadConfig(file, { isNeeded: () => false });
  const quit = new AbortController();
  const stop = AbortSignal.any([stopSignal(), standardOutput().ended, quit.signal]);
  const screen = new TopLoop(config, () => quit.abort());
  try {
    await screen.run(interval * 1000, stop);
  } finally {
    screen.close();
  }
}

function assertTerminal(): void {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.env["TERM"] !== "dumb";
  if (isTerminal) return;
  throw new CertwireError("CERTWIRE_USAGE", "certwire top needs a terminal", {
    hint: "`certwire status` prints one screen, and with --json what programs read.",
  });
}

class TopLoop {
  readonly #config: ResolvedConfig;
  readonly #quit: () => void;
  readonly #terminal: ScreenTerminal;
  readonly #meter = new RateMeter();
  #view: TopView | undefined;
  #sort = 0;
  #selected: string | undefined;
  #isPaused = false;
  #hasHelp = false;

  constructor(config: ResolvedConfig, quit: () => void) {
    this.#config = config;
    this.#quit = quit;
    this.#terminal = new ScreenTerminal(
      (key) => this.#take(key),
      () => this.#draw(),
    );
  }

  async run(intervalMs: number, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      if (!this.#isPaused) await this.#refresh();
      if (!stop.aborted) this.#draw();
      await pause(intervalMs, stop);
    }
  }

  close(): void {
    this.#terminal.close();
  }

  async #refresh(): Promise<void> {
    const found = await findLiveStatus(this.#config);
    this.#meter.take(found.status);
    const { rates } = this.#meter;
    this.#view = { ...found, rates, ...this.#choices() };
  }

  #choices() {
    return {
      sort: sortKeys[this.#sort] ?? "name",
      selected: this.#selected,
      isPaused: this.#isPaused,
      hasHelp: this.#hasHelp,
    };
  }

  #draw(): void {
    if (this.#view === undefined) return;
    this.#view = { ...this.#view, ...this.#choices() };
    this.#terminal.draw(topScreen(this.#view, this.#terminal.size));
  }

  #take(key: string): void {
    // Ctrl-C is a key like any other while the terminal passes all of them on.
    if (key === "q" || key === "Q" || key === "ctrl-c") return this.#quit();
    if (this.#hasHelp) this.#hasHelp = false;
    else this.#act(key);
    this.#draw();
  }

  #act(key: string): void {
    if (key === "?" || key === "h") this.#hasHelp = true;
    if (key === "p" || key === " ") this.#isPaused = !this.#isPaused;
    if (key === "s") this.#sort = (this.#sort + 1) % sortKeys.length;
    if (key === "k" || key === "up") this.#move(-1);
    if (key === "j" || key === "down") this.#move(1);
  }

  /** From no sink to the first, and back. */
  #move(by: number): void {
    if (this.#view === undefined) return;
    const names = sortedSinks({ ...this.#view, ...this.#choices() }).map(({ name }) => name);
    const at = names.findIndex((name) => name === this.#selected) + by;
    this.#selected = at < 0 ? undefined : names[Math.min(at, names.length - 1)];
  }
}
