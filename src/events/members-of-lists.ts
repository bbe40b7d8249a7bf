/** True for two lists of the same texts, whatever their order. */
export function haveSameMembers(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  // Most have one member, or the same order.
  if (a.every((text, at) => text === b[at])) return true;
  const [sortedA, sortedB] = [a.toSorted(), b.toSorted()];
  return sortedA.every((text, at) => text === sortedB[at]);
}
