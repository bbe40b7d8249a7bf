const character = "(?:[\\w.~!$&'()*+,;=@-]|%[\\dA-Fa-f]{2})";
const withColon = `(?:${character}|:)`;
const segments = `(?:/${withColon}*)*`;
const host = `(?:\\[[\\dA-Fa-f:.]+\\]|\\[v[\\dA-Fa-f]+\\.${withColon}+\\]|(?:(?!@)${character})*)`;
const authority = `//(?:(?:(?!@)${withColon})*@)?${host}(?::\\d*)?`;
const scheme = "[A-Za-z][A-Za-z\\d+.-]*:";
/** The path of a URI; that of a reference without a scheme has no colon before its first slash. */
const path = (first: string) =>
  `(?:${authority}${segments}|/(?:${withColon}+${segments})?|${first}+${segments}|)`;
const rest = `(?:\\?(?:${withColon}|[/?])*)?(?:#(?:${withColon}|[/?])*)?`;
const uriReference = new RegExp(`^(?:${scheme}${path(withColon)}|${path(character)})${rest}$`);

/** True for a URI or a relative reference by RFC 3986, as CloudEvents demands it of `source`. */
export function isUriReference(text: string): boolean {
  return uriReference.test(text);
}
