import {
  entryOf,
  type FieldsOf,
  type LevelOf,
  type LogLevel,
  type LogMessage,
} from "./messages.ts";

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
