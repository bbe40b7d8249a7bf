/** Who asked for a certificate, from `CORP\alice` or `CORP\WS-1172$`; all in lower case. */
export interface Requester {
  /** NetBIOS name of the domain; empty if the name has none. */
  readonly domain: string;
  /** Without the `$` of a machine. */
  readonly account: string;
  readonly isMachine: boolean;
}

/** The requester by the CA's `RequesterName`. */
export function requesterOf(name: string): Requester {
  const [, domain = "", rest = ""] = /^(?:(.*)\\)?([^\\]*)$/s.exec(name.toLowerCase()) ?? [];
  const account = rest.replace(/@.*$/s, "");
  return { domain, account: account.replace(/\$$/, ""), isMachine: account.endsWith("$") };
}

/** True if a user principal name is the account's, or one of those that the settings name for it. */
export function isOwnUpn(
  upn: string,
  { account, isMachine }: Requester,
  known: readonly string[],
): boolean {
  const [local = ""] = upn.toLowerCase().split("@");
  // Anybody may create a machine with the name of a user, and differs from that user only by the `$`.
  return (
    local === `${account}${isMachine ? "$" : ""}` ||
    known.some((each) => each.toLowerCase() === upn.toLowerCase())
  );
}

/** Longest account name of a machine without its `$`; Windows cuts a longer host name. */
const maxMachineName = 15;

/** True if the first label of a host name is the machine's name. */
export function isOwnHost(host: string, { account, isMachine }: Requester): boolean {
  const [label = ""] = host.toLowerCase().split(".");
  if (!isMachine || label === "") return false;
  return label === account || (account.length === maxMachineName && label.startsWith(account));
}

/** How a DNS name relates to the requester: its own, below its own (`www.web1.corp.example`), or another's. */
export type DnsRelation = "own" | "subdomain" | "dns";

/** The relations of the DNS names of one certificate. A domain controller also owns the names of its domain. */
export function dnsRelations(
  names: readonly string[],
  requester: Requester,
  isDomainController: boolean,
): DnsRelation[] {
  const all = names.map((name) => name.toLowerCase());
  const own = all.filter((name) => isOwnHost(name, requester));
  // Anybody else could make any name its domain by asking for a host of its own below it.
  const domains = isDomainController ? domainsOf(own, requester) : new Set<string>();
  return all.map((name) => {
    if (own.includes(name) || domains.has(name)) return "own";
    const isBelow = own.some((host) => host.includes(".") && name.endsWith(`.${host}`));
    return isBelow ? "subdomain" : "dns";
  });
}

/** The DNS and NetBIOS names of the domain; none if no name is the requester's own host. */
function domainsOf(own: readonly string[], { domain }: Requester): ReadonlySet<string> {
  if (own.length === 0) return new Set();
  return new Set([...own.map((name) => name.split(".").slice(1).join(".")), domain]);
}
