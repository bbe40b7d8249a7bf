/**
 * A template for people. The CA has the OID alone of a template of version 2 or later, which says nothing to people: then
 * what the requester asked for stands for it, with a `*` that marks it as the requester's word. `undefined` if neither is
 * known.
 */
export function shownTemplate(
  ofCa: string | undefined,
  requested: string | undefined,
): string | undefined {
  if (ofCa && !/^\d+(?:\.\d+)+$/.test(ofCa)) return ofCa;
  return requested ? `*${requested}` : ofCa || undefined;
}
