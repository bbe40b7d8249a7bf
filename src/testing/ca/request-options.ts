import { isIPv4 } from "node:net";
import type { DistinguishedName } from "../../simulate/distinguished-name.ts";
import type { AlternativeName, Extension } from "../../simulate/x509-extensions.ts";
import type { KeyKind } from "../x509/keys.ts";
import type { TestTemplate } from "./templates.ts";
import { usageError } from "./usage-error.ts";

/** A subject alternative name; a string is a DNS name. */
export type TestAlternativeName = string | AlternativeName | { readonly ip: string };

/** What is requested, and by whom. Everything has a default, which the template decides. */
export interface RequestOptions {
  /**
   * Name of a template that the CA knows (`CorpWorkstation`, `CorpSmartcard`, `CorpWebServer`, `CorpCodeSigning`,
   * `Machine`, `User`, `IPSECIntermediateOffline`), any other name, or the properties of a template. Default
   * `CorpWebServer`.
   */
  readonly template?: string | TestTemplate;
  /** Account of the requester, such as `CORP\\alice`, or `CORP\\WEB01$` for a machine. */
  readonly requester?: string;
  /** Who called the CA, if it was another account than the requester. Default the requester. */
  readonly caller?: string;
  /** Subject, such as `CN=www.example.com, O=Example Ltd`. Default from template and requester. */
  readonly subject?: string | DistinguishedName;
  /** Subject alternative names. Default from template and requester; an empty list for none. */
  readonly sans?: readonly TestAlternativeName[];
  /** Key of the certificate. Default `rsa-2048` or `p-256`, as the template says. */
  readonly key?: KeyKind;
  /** OIDs of the extended key usages. Default those of the template; an empty list for none. */
  readonly extendedKeyUsages?: readonly string[];
  /** SID in Microsoft's security extension; `null` for a certificate without. Default that of the requester, unless the template lets the requester name the subject. */
  readonly sid?: string | null;
  /** More extensions of the certificate. Default none. */
  readonly extensions?: readonly Extension[];
  /** More request attributes, such as `{ SAN: "upn=admin@corp.example" }`. Default none. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Default that of the template. */
  readonly validityDays?: number;
}

/** The alternative names in the form of their extension. Throws CERTWIRE_TESTING_OPTIONS. */
export function alternativeNamesOf(names: readonly TestAlternativeName[]): AlternativeName[] {
  return names.map((name) => {
    if (typeof name === "string") return { dns: name };
    if (!("ip" in name) || typeof name.ip !== "string") return name as AlternativeName;
    if (!isIPv4(name.ip)) {
      const hint = "Give an IPv6 address as its sixteen bytes.";
      throw usageError(`sans: "${name.ip}" is not an IPv4 address`, hint);
    }
    return { ip: name.ip.split(".").map(Number) };
  });
}
