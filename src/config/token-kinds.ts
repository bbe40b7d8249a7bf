/** Token kinds of jsonc-parser, which names them only in its type declarations. */
export const tokenKinds = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  colon: 6,
  string: 10,
  number: 11,
  unknown: 16,
  end: 17,
} as const;
