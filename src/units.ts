/** 2^10 bytes. */
export const kibibyte = 1024;

/** 2^20 bytes. */
export const mebibyte = 1024 * kibibyte;

/** A number of bytes in the largest binary unit that keeps it at 1 or more, such as `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A number of things, such as `1 hole` and `2 holes`. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
