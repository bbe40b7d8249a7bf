const percent = 0x25;
const nine = 0x39;

/**
 * A name that ends with one of these words, apart from digits after it, names a secret.
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

/**
 * True for the name of a secret. Case, percent encoding, wide forms of letters, accents, and everything that is
 * not a letter or digit make no difference: `Chal%6cenge`, `Expected-Challenge` and `Password1` are secrets,
 * `ChallengeType` is not.
 */
export function isSecretName(name: string): boolean {
  const letters = lettersOf(name);
  let end = letters.length;
  while (end > 0 && letters.charCodeAt(end - 1) <= nine) end -= 1;
  return secretWords.some((word) => letters.endsWith(word, end));
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
  if (/^[A-Za-z0-9]*$/.test(text)) return text.toLowerCase();
  // Nearly every other name is plain ASCII.
  const isPlain = /^[\w .:-]*$/.test(text);
  const basic = isPlain ? text : decomposed(decoded(text.replaceAll("\0", "")));
  return basic.replaceAll(/[^A-Za-z0-9]/g, "").toLowerCase();
}

/**
 * The text with wide and accented letters in their basic form. `normalize` sorts a run of marks in quadratic time and
 * makes 18 characters of an Arabic one, and a requester chooses the text: none of these can become a letter of a word,
 * so they go first. Of another character it makes at most 7, and 3 marks.
 */
function decomposed(text: string): string {
  return text.replaceAll(/[\p{M}\p{Script=Arabic}]+/gu, "").normalize("NFKD");
}

/**
 * The text without its percent encoding, also where that was applied several times. One pass, because a requester
 * chooses the text and its length.
 */
function decoded(text: string): string {
  if (!text.includes("%")) return text;
  const units = new Uint16Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    units[length++] = text.charCodeAt(i);
    // What was decoded may be the last digit of another encoding.
    for (let unit = encodedUnit(units, length - 3); unit >= 0; ) {
      length -= 2;
      units[length - 1] = unit;
      unit = encodedUnit(units, length - 3);
    }
  }
  return Buffer.from(units.buffer, 0, length * 2).toString("utf16le");
}

/** What a percent sign and two hex digits at `at` encode; -1 if there is something else. */
function encodedUnit(units: Uint16Array, at: number): number {
  if (units[at] !== percent) return -1;
  const [high, low] = [hexDigit(units[at + 1] ?? 0), hexDigit(units[at + 2] ?? 0)];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
