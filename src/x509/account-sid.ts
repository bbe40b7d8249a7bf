import type { DerReport } from "./der-report.ts";
import { readOid } from "./oid.ts";
import { DerError, type DerReader, tags } from "./reader.ts";

/** Where a certificate names the SID of its account: the extension 1.3.6.1.4.1.311.25.2, or a URI. */
export type SidSource = "extension" | "subjectAltName";

/** The SIDs that a certificate or request names. */
export interface AccountSids {
  /** The account's SID: the first one of the extension, else of the alternative names. */
  sid?: string;
  /** Where `sid` stands; `extension` if it stands in both. */
  sidSource?: SidSource;
  /** More SIDs, although there should be one; each is reported. */
  otherSids?: string[];
}

const objectSid = "1.3.6.1.4.1.311.25.2.1";

/** What Windows puts before a SID in a URI among the alternative names (KB5014754). */
const uriPrefix = "tag:microsoft.com,2022-09-14:sid:";

/** The text form of a SID ([MS-DTYP] 2.4.2.1), in upper case as Windows writes it. */
const sidText = /^S-1-(?:\d{1,15}|0x[\dA-Fa-f]{12})(?:-\d{1,10}){1,15}$/;

/**
 * Reads the extension 1.3.6.1.4.1.311.25.2: GeneralNames with one otherName 1.3.6.1.4.1.311.25.2.1 around an
 * OCTET STRING with the SID's text.
 */
export function readSidExtension(target: AccountSids, value: DerReader, report: DerReport): void {
  const names = value.sequence();
  let count = 0;
  report.eachMember(names, (name, own) => {
    if (name.tag !== 0xa0) throw new DerError("not an otherName");
    const otherName = names.inside(name);
    const type = readOid(otherName);
    if (type !== objectSid) throw new DerError(`otherName ${type} is not a SID`);
    const wrapper = otherName.inside(otherName.next(0xa0));
    const octets = wrapper.content(wrapper.next(tags.octetString));
    const sid = octets.toString("latin1");
    own.attempt(() => wrapper.end());
    own.attempt(() => otherName.end());
    if (!sidText.test(sid)) {
      own.add("is not a SID", octets);
      return;
    }
    count += 1;
    addSid(target, sid, "extension", own);
  });
  if (count === 0) throw new DerError("has no SID");
}

/** Adds the SIDs among the URIs of the alternative names. */
export function addSidsOfUris(
  target: AccountSids,
  uris: readonly string[],
  report: DerReport,
): void {
  for (const uri of uris) {
    if (!uri.startsWith(uriPrefix)) continue;
    const sid = uri.slice(uriPrefix.length);
    if (sidText.test(sid)) addSid(target, sid, "subjectAltName", report);
    else report.add("a URI of a SID has no SID");
  }
}

/** The extension goes before a URI, whichever stands first; the same SID in both is one SID. */
function addSid(target: AccountSids, sid: string, source: SidSource, report: DerReport): void {
  const { sid: known, sidSource = source } = target;
  if (known === undefined || (known === sid && sidSource !== source)) {
    target.sid = sid;
    target.sidSource = known === undefined ? source : "extension";
    return;
  }
  report.add("more than one SID");
  const others = (target.otherSids ??= []);
  if (sidSource === source || source === "subjectAltName") {
    others.push(sid);
    return;
  }
  others.push(known);
  target.sid = sid;
  target.sidSource = source;
}
