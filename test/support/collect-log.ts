import pino from "pino";
import type { LogMessageEntry } from "../../src/log/message-entry.ts";
import { logMessages } from "../../src/log/messages.ts";

const table: Readonly<Record<string, LogMessageEntry>> = logMessages;
const common = new Set(["level", "time", "pid", "hostname", "msg", "repeated", "sink"]);

/** A logger of level debug, and the lines that it has written. A field that the table of messages does not have throws. */
export function collectLog() {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    const line = JSON.parse(text) as Record<string, unknown>;
    const allowed = table[String(line["msg"])]?.fields;
    const unknown = Object.keys(line).filter(
      (key) => !common.has(key) && allowed?.includes(key) === false,
    );
    if (unknown.length > 0)
      throw new Error(`not in the table of messages: ${unknown.join(", ")} of ${text}`);
    lines.push(line);
  };
  return { log: pino({ level: "debug" }, { write }), lines };
}
