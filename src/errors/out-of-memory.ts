/**
 * True for an error of memory that may be there later: it says nothing about the value that was worked on. A
 * text or a nesting beyond what JavaScript allows is another matter, since that never passes.
 */
export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof RangeError)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_MEMORY_ALLOCATION_FAILED" || /allocation failed/i.test(error.message);
}
