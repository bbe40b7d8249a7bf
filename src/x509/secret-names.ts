/**
 * A name that has one of these words in it names a secret, whatever stands around it.
 * docs/reference/what-is-secret.md lists them.
 */
export const secretWords: readonly string[] = [
  "challenge",
  "password",
  "passphrase",
  "passwd",
  "secret",
  "archivedkey",
];

const maxEncodings = 4;

/**
 * True if a name, or a text with names and values in it, has the word of a secret in it. Case, percent
 * encoding, wide forms of letters, and everything that is not a letter or digit make no difference:
 * `Chal%6cenge` and `Expected-Challenge` are secrets. Rather one value too many is blanked than one missed.
 */
export function mentionsSecret(text: string): boolean {
  // Nearly every name is plain ASCII.
  const isPlain = /^[\w .:-]*$/.test(text);
  const letters = isPlain ? text : decoded(text.replaceAll("\0", "")).normalize("NFKC");
  const plain = letters.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return secretWords.some((word) => plain.includes(word));
}

/** The text without its percent encoding, also where that was applied several times. */
function decoded(text: string): string {
  let plain = text;
  for (let i = 0; i < maxEncodings && plain.includes("%"); i++) {
    plain = plain.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return plain;
}
