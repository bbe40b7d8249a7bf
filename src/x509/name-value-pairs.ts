import { DerReport } from "./der-report.ts";
import type { NameValuePair } from "./parsed-request.ts";
import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";
import type { RequestDraft } from "./request-draft.ts";
import { mentionsSecretName } from "./secret-attributes.ts";
import { isSecretName, mentionsSecret } from "./secret-names.ts";
import { stringText, wellFormed, withoutNul } from "./text.ts";

/**
 * Reads an EnrollmentNameValuePair ([MS-WCCE] 2.2.2.7.10), or a SEQUENCE of them; `element` is the SEQUENCE.
 * Throws `DerError` for another element.
 */
export function readPairs(
  draft: RequestDraft,
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): void {
  const fields = reader.insideSequence(element);
  if (fields.nextTag !== tags.sequence) {
    readPair(draft, fields, reader.whole(element), report);
    return;
  }
  report.eachMember(fields, (member, own) => {
    readPair(draft, fields.insideSequence(member), fields.whole(member), own);
  });
}

function readPair(draft: RequestDraft, fields: DerReader, der: Buffer, report: DerReport): void {
  // Its problems have the octets of texts, which may be those of a secret.
  const texts = new DerReport();
  const [nameElement, valueElement] = [fields.next(), fields.next()];
  const name = stringText(fields, nameElement, texts);
  const value = stringText(fields, valueElement, texts);
  fields.end();
  if (name === undefined || value === undefined) throw new DerError("not a pair of strings");
  // A text of one string type may hide in another one.
  const isSecret = mentionsSecretName(der) || mentionsSecret(name) || mentionsSecret(value);
  const isNameSecret = mentionsSecretName(fields.content(nameElement)) || mentionsSecret(name);
  draft.addPair(pairOf(name, value, isSecret, isNameSecret));
  for (const { reason, octets } of texts.problems) {
    if (isSecret) report.withhold(reason);
    else report.add(reason, octets);
  }
}

/** `isNameSecret`: the name has the word of a secret in it, so that it may have the secret as well. */
function pairOf(
  name: string,
  value: string,
  isSecret: boolean,
  isNameSecret: boolean,
): NameValuePair {
  const shown = withoutNul(name);
  if (!isSecret) return { name: shown, value: withoutNul(value) };
  return isNameSecret && !isSecretName(name) ? { redacted: true } : { name: shown, redacted: true };
}

/**
 * Reads pairs as text, `name=value` with `&` between them ([MS-WCCE] 2.2.2.6.3): UTF-8, or UTF-16, which some
 * clients write.
 */
export function readPairText(draft: RequestDraft, octets: Buffer, report: DerReport): void {
  const text = pairText(octets);
  const pairs = text.split("&").filter((pair) => pair !== "");
  const isSecret = mentionsSecretName(octets);
  if (isSecret && !pairs.some(mentionsSecret)) {
    report.withhold("has the name of a secret in another encoding");
    return;
  }
  for (const pair of pairs) {
    const [name = ""] = pair.split("=", 1);
    const value = pair.slice(name.length + 1);
    draft.addPair(pairOf(name, value, mentionsSecret(pair), mentionsSecret(name)));
  }
  const isShownAsIs = !text.includes("\0") && !text.includes("\ufffd");
  if (isShownAsIs) return;
  if (isSecret) report.withhold("text is not shown as it is");
  else report.add("text is not shown as it is", octets);
}

/** Invalid characters become U+FFFD. */
function pairText(octets: Buffer): string {
  if (octets.length % 2 === 0 && octets.includes(0)) return wellFormed(octets.toString("utf16le"));
  return octets.toString("utf8");
}
