import { type DestinationStream, destination, type Logger, pino } from "pino";

/** A logger of JSON lines on standard error; standard output is kept for data. */
export function createLogger(level: string, stream: DestinationStream = standardError()): Logger {
  return pino({ level, base: { name: "certwire" }, timestamp: () => `,"time":"${now()}"` }, stream);
}

function standardError(): DestinationStream {
  return destination({ dest: 2, sync: true });
}

function now(): string {
  return new Date().toISOString();
}
