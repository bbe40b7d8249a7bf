/** Between which numbers of rows a page may have, and how it begins. */
export interface PageSizes {
  readonly least: number;
  readonly first: number;
  readonly most: number;
}

/** A view that took longer makes the next page half as large, in ms. */
const longMs = 5_000;
/** A view that took less makes the next page twice as large, in ms. */
const shortMs = 500;

/** Rows of the next page after a full one with `rows` rows whose view was open for `viewMs`. */
export function nextPageRows(rows: number, viewMs: number, { least, most }: PageSizes): number {
  if (viewMs > longMs) return Math.max(least, Math.floor(rows / 2));
  return viewMs < shortMs ? Math.min(most, rows * 2) : rows;
}
