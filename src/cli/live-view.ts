import { eventOf, type OutboundEvent } from "../events/outbound-event.ts";
import { standardOutput } from "../files/standard-output.ts";
import { colourOf, eventRow, headerLine, plainWidth, rowLine } from "./event-row.ts";
import { styled } from "./output.ts";

/** How often the footer is drawn on a terminal, and how often it is printed elsewhere, in ms. */
const footerIntervalMs = { terminal: 250, plain: 5000 } as const;
/** Maximum event lines per frame on a terminal; the rest are only counted, since nobody can read them. */
const maxLinesPerFrame = 40;

/**
 * Prints events as they are published. On a terminal the lines scroll above a fixed footer; elsewhere (pipe,
 * file, CI) there are only plain lines, without control characters.
 */
export class LiveView {
  readonly #stream = process.stdout;
  readonly #output = standardOutput();
  readonly #footer: () => readonly string[];
  #waiting: OutboundEvent[] = [];
  #footerLines = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastFooter = 0;

  /** `footer` is called each time the footer is drawn. */
  constructor(footer: () => readonly string[]) {
    this.#footer = footer;
  }

  /** Prints the header and starts drawing. */
  start(): void {
    this.#output.post(`${styled(this.#stream, "bold", headerLine(this.#width))}\n`);
    this.#lastFooter = Date.now();
    this.#timer = setInterval(() => this.#draw(), footerIntervalMs.terminal);
  }

  /** Adds events to the next frame. */
  show(events: readonly OutboundEvent[]): void {
    this.#waiting.push(...events);
  }

  /** Draws the last frame with its footer. */
  stop(): void {
    clearInterval(this.#timer);
    this.#lastFooter = 0;
    this.#draw();
  }

  get #width(): number {
    return this.#stream.isTTY ? this.#stream.columns : plainWidth;
  }

  /** One write per frame, so that nothing flickers. */
  #draw(): void {
    const lines = this.#eventLines();
    const { isTTY } = this.#stream;
    const now = Date.now();
    const isDue = isTTY || now - this.#lastFooter >= footerIntervalMs.plain;
    const footer = isDue ? this.#footer().map((line) => this.#footerLine(line)) : [];
    if (isDue) this.#lastFooter = now;
    const eraseFooter = this.#footerLines > 0 ? `\u001B[${this.#footerLines}A\u001B[J` : "";
    this.#footerLines = isTTY ? footer.length : 0;
    const text = [...lines, ...footer].map((line) => `${line}\n`).join("");
    if (text !== "") this.#output.post(eraseFooter + text);
  }

  #footerLine(line: string): string {
    return styled(
      this.#stream,
      "inverse",
      line.slice(0, this.#width).padEnd(this.#stream.isTTY ? this.#width : 0),
    );
  }

  #eventLines(): string[] {
    const events = this.#waiting;
    this.#waiting = [];
    const shown = this.#stream.isTTY ? events.slice(-maxLinesPerFrame) : events;
    const lines = shown.map((event) => this.#eventLine(event));
    const hidden = events.length - shown.length;
    return hidden > 0 ? [`  … ${hidden} more`, ...lines] : lines;
  }

  #eventLine(event: OutboundEvent): string {
    const row = eventRow(eventOf(event));
    const line = rowLine(row, this.#width);
    return styled(this.#stream, colourOf(row.kind), line);
  }
}
