const maxEncodings = 4;

/** A name that ends with one of these words names a secret. docs/reference/what-is-secret.md lists them. */
export const secretWords: readonly string[] = [
  "challenge",
  "password",
  "passphrase",
  "passwd",
  "secret",
  "archivedkey",
];

/**
 * True for the name of a secret. Case, percent encoding, wide forms of letters, and everything that is not a
 * letter or digit make no difference: `Chal%6cenge` and `Expected-Challenge` are secrets, `ChallengeType` is not.
 */
export function isSecretName(name: string): boolean {
  const letters = lettersOf(name);
  return secretWords.some((word) => letters.endsWith(word));
}

/**
 * True if a text with names and values in it has the word of a secret anywhere. Rather one value too many is
 * blanked than one missed.
 */
export function mentionsSecret(text: string): boolean {
  const letters = lettersOf(text);
  return secretWords.some((word) => letters.includes(word));
}

/** Only the letters and digits, in lower case and decoded. */
function lettersOf(text: string): string {
  // Nearly every name is plain ASCII.
  const isPlain = /^[\w .:-]*$/.test(text);
  const decodedText = isPlain ? text : decoded(text.replaceAll("\0", "")).normalize("NFKC");
  return decodedText.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
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
