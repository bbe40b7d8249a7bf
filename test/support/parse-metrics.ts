/** One sample of an exposition: its name with its labels as they stand, and its value. */
export type Samples = ReadonlyMap<string, number>;

/** A family of metrics as it is announced. */
export interface Family {
  readonly type: string;
  readonly help: string;
}

const sampleLine =
  /^([a-zA-Z_:][\w:]*)(\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*")*\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;
const suffixes = /_(?:total|bucket|sum|count)$/;

/** A text of metrics, read. */
export interface ParsedMetrics {
  readonly families: ReadonlyMap<string, Family>;
  readonly samples: Samples;
}

/**
 * Reads a text of metrics strictly: every line has its form or is empty, every sample follows the two lines of its family, no
 * sample and no family is there twice. Throws an Error for anything else.
 */
export function parseMetrics(text: string): ParsedMetrics {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const reader = new MetricsReader();
  for (const line of text.slice(0, -1).split("\n")) reader.read(line);
  return reader;
}

class MetricsReader implements ParsedMetrics {
  readonly families = new Map<string, Family>();
  readonly samples = new Map<string, number>();
  #family = "";
  #help = "";

  read(line: string): void {
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (word === "HELP") [this.#family, this.#help] = [name, rest];
    else if (word === "TYPE") this.#announce(name, rest);
    else if (line !== "" && line !== "# EOF") this.#sample(line);
  }

  #announce(name: string, type: string): void {
    if (name !== this.#family || this.families.has(name)) throw new Error(`misplaced: ${name}`);
    this.families.set(name, { type, help: this.#help });
  }

  #sample(line: string): void {
    const [, name = "", labels = "", value] = sampleLine.exec(line) ?? [];
    const isOwn = name.replace(suffixes, "") === this.#family.replace(suffixes, "");
    if (value === undefined || !isOwn) throw new Error(`not of ${this.#family}: ${line}`);
    if (this.samples.has(name + labels)) throw new Error(`twice: ${line}`);
    this.samples.set(name + labels, Number(value));
  }
}
