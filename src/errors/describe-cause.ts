/** Texts of an error and its causes in one line: no stack, and never the error object with its fields. */
export function describeCause(error: unknown): string {
  const texts: string[] = [];
  let cause: unknown = error;
  while (cause instanceof Error && texts.length < 4) {
    // OpenSSL's texts end with a line break.
    const text = cause.message.replaceAll(/\s+/g, " ").trim();
    if (!texts.includes(text)) texts.push(text);
    cause = cause.cause;
  }
  return texts.length > 0 ? texts.join(": ") : String(error);
}
