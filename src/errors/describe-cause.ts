/** Texts of an error and its causes in one line: no stack, and never the error object with its fields. */
export function describeCause(error: unknown): string {
  const texts: string[] = [];
  let cause: unknown = error;
  while (cause instanceof Error && texts.length < 4) {
    if (!texts.includes(cause.message)) texts.push(cause.message);
    cause = cause.cause;
  }
  return texts.length > 0 ? texts.join(": ") : String(error);
}
