import { printable } from "./printable.ts";

/**
 * The messages of an error and at most three of its causes, in one line that is safe on a terminal: a message
 * may have a broker's own text. Only messages: a stack is noise in a log, and the fields of an error object may
 * hold secrets.
 */
export function describeCause(error: unknown): string {
  const texts: string[] = [];
  let cause: unknown = error;
  while (cause instanceof Error && texts.length < 4) {
    // OpenSSL's texts end with a line break.
    const text = printable(cause.message.replaceAll(/\s+/g, " ").trim());
    if (!texts.includes(text)) texts.push(text);
    cause = cause.cause;
  }
  return texts.length > 0 ? texts.join(": ") : printable(String(error));
}
