import { hash } from "node:crypto";
import { type Account, domainContext, domainName } from "../../simulate/accounts.ts";
import { usageError } from "./usage-error.ts";

/**
 * The account of a requester, `DOMAIN\name`; one that ends with `$` is a machine. Its SID follows from the seed and the
 * name, so that the same requester has the same one in each test. Throws CERTWIRE_TESTING_OPTIONS.
 */
export function accountOf(requester: string, seed: string, sid = sidOf(requester, seed)): Account {
  const [, name] = /^[^\\]+\\([^\\]+)$/.exec(requester) ?? [];
  if (name === undefined) {
    throw usageError(`requester: "${requester}" is not an account`, "Write it as CORP\\alice.");
  }
  const isMachine = name.endsWith("$");
  const displayName = isMachine ? name.slice(0, -1) : name;
  const login = inAscii(displayName);
  return {
    kind: isMachine ? "machine" : "user",
    samName: requester,
    displayName,
    principal: `${login}${isMachine ? "." : "@"}${domainName}`,
    distinguishedName: [
      ["CN", displayName],
      ["OU", isMachine ? "Computers" : "People"],
      ...domainContext,
    ],
    sid,
  };
}

/** A name as it stands in a host name or a mail address, whose types hold only ASCII. */
function inAscii(name: string): string {
  const letters = name.normalize("NFD").replaceAll(/\p{M}/gu, "");
  return letters.toLowerCase().replaceAll(/[^\0-\x7f]/gu, "-");
}

/** A SID in the domain of the seed; the account's own part is above the numbers that a domain reserves. */
function sidOf(requester: string, seed: string): string {
  const ofDomain = hash("sha256", `${seed}/domain`, "buffer");
  const ofAccount = hash("sha256", `${seed}/account/${requester.toLowerCase()}`, "buffer");
  const domain = [0, 4, 8].map((at) => ofDomain.readUInt32BE(at));
  return `S-1-5-21-${domain.join("-")}-${1104 + ofAccount.readUIntBE(0, 3)}`;
}
