/** Places for texts; a power of two. A record has some 60 keys, all kinds of records together some 150. */
const places = 1024;

interface KnownText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Texts by their bytes: one that is found is not decoded again, and a Map knows its hash. A newer text takes the place of an older one. */
export class ShortTexts {
  readonly #known: (KnownText | undefined)[] = Array.from({ length: places });

  /** The text of the bytes from `start` to `end`; `undefined` if it is not known. */
  find(bytes: Uint8Array, start: number, end: number): string | undefined {
    const known = this.#known[placeOf(bytes, start, end)];
    return known !== undefined && isSame(known.bytes, bytes, start, end) ? known.text : undefined;
  }

  keep(bytes: Uint8Array, start: number, end: number, text: string): void {
    this.#known[placeOf(bytes, start, end)] = {
      bytes: new Uint8Array(bytes.subarray(start, end)),
      text,
    };
  }
}

/** FNV-1a. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) & (places - 1);
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at += 1) {
    if (known[at] !== bytes[start + at]) return false;
  }
  return true;
}
