/** Every way in which a secret could be written into bytes. */
export function encodingsOf(secret: string): Buffer[] {
  const plain = [Buffer.from(secret, "utf8"), Buffer.from(secret, "utf16le")];
  const written = plain.flatMap((bytes) => [
    ...[0, 1, 2].map((shift) => base64Core(bytes, shift)),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ]);
  return [
    ...plain,
    ...written.flatMap((text) => [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")]),
  ];
}

/** The characters of the base64 form that depend on `bytes` alone, when `shift` bytes precede. */
function base64Core(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

/** Searches many places for many secrets: one pass over the bytes, however many secrets there are. */
export class SecretSearch {
  /** Forms by their first four bytes. */
  readonly #forms = new Map<number, { readonly secret: string; readonly form: Buffer }[]>();

  constructor(secrets: readonly string[]) {
    for (const secret of secrets) {
      for (const form of encodingsOf(secret)) {
        const start = form.readUInt32LE();
        const others = this.#forms.get(start) ?? [];
        this.#forms.set(start, [...others, { secret, form }]);
      }
    }
  }

  /** The secrets that occur in `bytes`, in whatever encoding. */
  find(bytes: Buffer): string[] {
    const found = new Set<string>();
    for (let offset = 0; offset + 4 <= bytes.length; offset += 1) {
      for (const { secret, form } of this.#forms.get(bytes.readUInt32LE(offset)) ?? []) {
        if (form.equals(bytes.subarray(offset, offset + form.length))) found.add(secret);
      }
    }
    return [...found];
  }
}
