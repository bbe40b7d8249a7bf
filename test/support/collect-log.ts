import pino from "pino";

/** A logger of level debug, and the lines that it has written. */
export function collectLog() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { log: pino({ level: "debug" }, { write }), lines };
}
