import type { LogLevel, LogMessageEntry } from "./message-entry.ts";
import { logMessages } from "./messages.ts";

/** A message of the log. */
export type LogMessage = keyof typeof logMessages;

/** The levels that a message may have. */
export type LevelOf<M extends LogMessage> = (typeof logMessages)[M]["levels"][number];

/** The fields that a line of a message may have. */
export type FieldsOf<M extends LogMessage> = {
  readonly [Field in (typeof logMessages)[M]["fields"][number]]?: unknown;
};

/** The row of a message. */
function entryOf(message: LogMessage): LogMessageEntry {
  return logMessages[message];
}

/** A log that has methods for these levels, as one of pino has. */
export type LineLog<Level extends LogLevel> = {
  readonly [Each in Level]: (fields: object, message: string) => void;
};

/** Logs a message of the table. `level`: one of those that the message may have; default the first. */
export function logLine<M extends LogMessage>(
  log: LineLog<LevelOf<M>>,
  message: M,
  fields: FieldsOf<M>,
  level: LevelOf<M> = defaultLevel(message),
): void {
  log[level](fields, message);
}

/** The level of a message that is logged without one. */
export function defaultLevel<M extends LogMessage>(message: M): LevelOf<M> {
  return entryOf(message).levels[0] as LevelOf<M>;
}
