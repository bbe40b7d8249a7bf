/** What a name is of. */
export type NameKind = "host" | "user" | "ca" | "domain" | "address" | "name" | "hash";

/** Names that are known beforehand. */
export interface KnownNames {
  readonly hosts: readonly string[];
  readonly users: readonly string[];
  readonly cas: readonly string[];
  readonly domains: readonly string[];
}

/** Names that identify nobody; without them a report could not be read. */
const commonNames = new Set([
  "localhost",
  "root",
  "admin",
  "administrator",
  "administrators",
  "system",
  "localsystem",
  "guest",
  "user",
  "users",
  "public",
  "default",
  "all users",
  "certwire",
  "kafka",
  "rabbitmq",
  "broker",
  "service",
  "nt service",
  "nt authority",
  "builtin",
  "127.0.0.1",
  "0.0.0.0",
  "::1",
  "::",
]);

const label = "[\\p{L}\\d](?:[\\p{L}\\d_-]*[\\p{L}\\d])?";
const ipv4 = /(?<![\w.<-])\d{1,3}(?:\.\d{1,3}){3}(?![\w.-]*\w)/g;
const ipv6 = /(?<![\w:.])(?=[\da-f:]*:[\da-f:]*:)(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi;
const urlAuthority = /(\b[a-z][a-z\d+.-]*:\/\/)([^\s"'/?#<]+)/gi;
const userFolder =
  /((?:\b[a-z]:)?[\\/]+(?:users|home|documents and settings)[\\/]+)([^\\/"':;<>]+)/gi;
const share = /(?<![\w:\\])(\\\\)([\w.-]+)(?=\\)/g;
const account = /(?<![\\/:\w.<])(?!HK[A-Z]+\\)([A-Z\d][A-Z\d-]{0,14})(\\{1,2})([\w.$-]+)/g;
const mail = /(?<![\w.<-])([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)/g;
const nameOfSubject = /\b(CN|OU|O|DC|L|ST|C|E|SERIALNUMBER)\s?=\s?("[^"]*"|[^,+"\n\\<]+)/g;
const missingHost = /\b(ENOTFOUND|EAI_AGAIN)( )([^\s,;:<"']+)/g;
const alternativeName = /\b((?:DNS|URI|IP Address|Host)\s?:\s?)([^\s,;"'<]+)/g;
const hostAndPort = new RegExp(
  `(?<![\\w.<\\\\/-])(\\p{L}[\\p{L}\\d_-]*(?:\\.${label})*)(:\\d{2,5})(?![\\d:])`,
  "gu",
);
const hash = /(?<![\da-f])[\da-f]{64}(?![\da-f])/g;

/**
 * Puts `<host-1>`, `<user-1>` and so on into the place of names, the same for the same name, whatever its case. It knows
 * the names that it is given, and recognizes addresses, accounts, folders of users, subjects of certificates, URLs, and
 * hosts with a port or in a domain that it knows. Secrets become `<secret>`.
 */
export class NameBlanker {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<NameKind, number>();
  readonly #secrets: readonly string[];
  readonly #keepsNames: boolean;
  readonly #domains = new Set<string>();
  /** Names that are found wherever they stand as words. */
  readonly #words = new Set<string>();
  /** Of `#domains` and `#words`; `undefined` after a change of these. */
  #patterns: Patterns | undefined;

  /** `keepsNames`: only secrets are taken out. */
  constructor(known: KnownNames, secrets: readonly string[], keepsNames = false) {
    this.#keepsNames = keepsNames;
    // The longest first, where one is part of another.
    this.#secrets = [...new Set(secrets)].filter(Boolean).toSorted((a, b) => b.length - a.length);
    for (const domain of known.domains) this.#learnDomain(domain);
    for (const host of known.hosts) this.#learn("host", host);
    for (const ca of known.cas) this.#learn("ca", ca);
    for (const user of known.users) this.#learn("user", user);
  }

  /** A text without secrets and names. */
  text(text: string): string {
    const safe = this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, "<secret>"), text);
    return this.#keepsNames ? safe : this.#blankKnown(this.#blankForms(safe));
  }

  /** A value of JSON, each text of it without secrets and names. */
  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((each) => this.value(each));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [this.key(key), this.value(inner)]),
    );
  }

  /** The name of a member: one that a program may have chosen stays. */
  key(key: string): string {
    return /^\$?[A-Za-z]+$/.test(key) ? key : this.text(key);
  }

  #blankForms(text: string): string {
    return text
      .replaceAll(urlAuthority, (_, scheme: string, rest: string) => scheme + this.#authority(rest))
      .replaceAll(userFolder, (_, before: string, user: string) => before + this.#as("user", user))
      .replaceAll(share, (_, before: string, host: string) => before + this.#as("host", host))
      .replaceAll(account, (whole, domain: string, slashes: string, user: string) =>
        isCommon(domain) || isCommon(`nt ${domain}`)
          ? whole
          : `${this.#as("domain", domain)}${slashes}${this.#as("user", user)}`,
      )
      .replaceAll(
        mail,
        (_, user: string, host: string) => `${this.#as("user", user)}@${this.#as("host", host)}`,
      )
      .replaceAll(
        nameOfSubject,
        (_, type: string, name: string) => `${type}=${this.#as("name", name.trim())}`,
      )
      .replaceAll(
        missingHost,
        (_, code: string, space: string, host: string) => code + space + this.#as("host", host),
      )
      .replaceAll(
        alternativeName,
        (_, type: string, host: string) => type + this.#as("host", host.replace(/\.$/, "")),
      )
      .replaceAll(ipv4, (address) => this.#as("address", address))
      .replaceAll(ipv6, (address) => this.#as("address", address))
      .replaceAll(hostAndPort, (_, host: string, port: string) => this.#as("host", host) + port)
      .replaceAll(hash, (digest) => this.#as("hash", digest));
  }

  /** The users and hosts of a URL, or of a list of hosts. */
  #authority(text: string): string {
    const at = text.lastIndexOf("@");
    const user = at < 0 ? "" : `${this.#as("user", text.slice(0, at))}@`;
    const hosts = text
      .slice(at + 1)
      .split(",")
      .map((each) => this.#hostOf(each));
    return user + hosts.join();
  }

  #hostOf(text: string): string {
    const [, host = text, port = ""] = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(text) ?? [];
    if (host.startsWith("[")) return `[${this.#as("address", host.slice(1, -1))}]${port}`;
    const isAddress = /^[\d.]+$/.test(host);
    return this.#as(isAddress ? "address" : "host", host) + port;
  }

  #blankKnown(text: string): string {
    this.#patterns ??= patternsOf(this.#domains, this.#words);
    const { hosts, words } = this.#patterns;
    const withoutHosts = hosts ? text.replaceAll(hosts, (host) => this.#as("host", host)) : text;
    // Hosts of a known domain are names from now on; the pattern finds them by their domain anyway.
    return words
      ? withoutHosts.replaceAll(words, (name) => this.#names.get(name.toLowerCase()) ?? name)
      : withoutHosts;
  }

  #as(kind: NameKind, name: string): string {
    if (name === "" || name.startsWith("<") || isCommon(name)) return name;
    return this.#learn(kind, name) ?? name;
  }

  #learn(kind: NameKind, name: string): string | undefined {
    const key = name.trim().toLowerCase();
    if (key.length < 2 || isCommon(key)) return undefined;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const blank = `<${kind}-${count}>`;
    this.#names.set(key, blank);
    // The others are found by their form wherever they stand.
    if (kind !== "address" && kind !== "hash") {
      this.#words.add(key);
      this.#patterns = undefined;
    }
    if (kind === "host") this.#learnHost(key);
    return blank;
  }

  /** Other hosts of its domain are hosts of the same owner, and its first label is a name of it. */
  #learnHost(host: string): void {
    const [first = "", ...domain] = host.replace(/^\*\./, "").split(".");
    if (domain.length >= 2) this.#learnDomain(domain.join("."));
    if (domain.length >= 1) this.#learn("host", first);
  }

  #learnDomain(domain: string): void {
    const name = domain.toLowerCase();
    if (name.includes(".") && !this.#domains.has(name)) {
      this.#domains.add(name);
      this.#patterns = undefined;
    }
    if (!name.includes(".")) this.#learn("domain", name);
  }
}

/** What finds the hosts of known domains, and known names; absent for none. */
interface Patterns {
  readonly hosts?: RegExp;
  readonly words?: RegExp;
}

function patternsOf(domains: ReadonlySet<string>, words: ReadonlySet<string>): Patterns {
  return {
    ...(domains.size > 0 && {
      hosts: new RegExp(`(?<![\\w.<-])(?:${label}\\.)*${oneOf(domains)}(?![\\w-])`, "giu"),
    }),
    ...(words.size > 0 && {
      words: new RegExp(`(?<![\\p{L}\\d<])${oneOf(words)}(?![\\p{L}\\d])`, "giu"),
    }),
  };
}

/** A pattern for any of these texts; the longest first, where one begins with another. */
function oneOf(texts: ReadonlySet<string>): string {
  const longestFirst = [...texts].toSorted((a, b) => b.length - a.length);
  return `(?:${longestFirst.map(escaped).join("|")})`;
}

function isCommon(name: string): boolean {
  return commonNames.has(name.toLowerCase());
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
