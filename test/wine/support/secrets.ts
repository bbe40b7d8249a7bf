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

/** The secrets that occur in `bytes`, in whatever encoding. */
export function findSecrets(bytes: Buffer, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => encodingsOf(secret).some((form) => bytes.includes(form)));
}
