/** Writes one log line: its fields, then its text. */
type LogLine = (fields: object, message: string) => void;

/** Where a consumer logs; a pino logger is one. */
export interface ConsumerLogger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}

const nothing: LogLine = () => undefined;

/** Drops every line. */
export const silentLogger: ConsumerLogger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
