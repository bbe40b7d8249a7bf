/** The names of one directory in the form of the column File.FileName. */
export class ShortNames {
  readonly #taken = new Set<string>();

  /** `SHORT~1.EXT|the long name`, or the name alone if it is a short one. */
  fileName(name: string): string {
    const { stem, extension } = split(name);
    if (isShort(stem, 8) && (extension === "" || isShort(extension, 3))) {
      if (this.#take(name)) return name;
    }
    for (let number = 1; ; number += 1) {
      const tail = `~${number}`;
      const head = plain(stem).slice(0, 8 - tail.length) || "_".slice(0, 8 - tail.length);
      const short = [head + tail, plain(extension).slice(0, 3)].filter(Boolean).join(".");
      if (this.#take(short)) return `${short}|${name}`;
    }
  }

  #take(name: string): boolean {
    const folded = name.toUpperCase();
    if (this.#taken.has(folded)) return false;
    this.#taken.add(folded);
    return true;
  }
}

function split(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  if (dot <= 0) return { stem: name, extension: "" };
  return { stem: name.slice(0, dot), extension: name.slice(dot + 1) };
}

function isShort(part: string, length: number): boolean {
  return part.length <= length && /^[\w-]+$/.test(part);
}

function plain(part: string): string {
  return part.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase();
}
