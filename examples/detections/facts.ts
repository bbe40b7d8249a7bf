import { type CertwireEvent, knownKindOf, type TypedEvent } from "./certwire.ts";
import {
  type EarlierDecision,
  isAfter,
  keep,
  keepLatest,
  type Memory,
  placeOf,
  type TemplateState,
} from "./memory.ts";
import { dnsRelations, isOwnHost, isOwnUpn, type Requester, requesterOf } from "./names.ts";
import type { Settings } from "./rule.ts";

/** What a rule cannot say by comparing a field with a value. A fact that does not apply is absent. */
export interface Facts {
  /** Kinds of names in the certificate that are not the requester's; `subdomain` is below the requester's own host. */
  readonly foreignNames?: readonly ("upn" | "dns" | "subdomain" | "sid")[];
  /** Who set the extension with the SID: `policy` is the CA itself, from the directory. */
  readonly sidOrigin?: string;
  /** Whether a name in the request attribute `SAN` stands in the certificate. */
  readonly sanAttribute?: "used" | "unused";
  /** Hosts in the attribute `rmd` that are not the requesting machine, and stand in the certificate. */
  readonly foreignRmd?: readonly string[];
  /** Hosts in the attribute `cdc` that are not in `domain_controllers`; absent without that list. */
  readonly foreignCdc?: readonly string[];
  /** True if the CA says that the requester decided about the own request. */
  readonly decidedByRequester?: true;
  /** What the CA had decided about the request before, unless it had issued a certificate. */
  readonly earlierDecision?: EarlierDecision;
  /** What is not as in the last certificate of the same template. */
  readonly templateChanges?: readonly ("version" | "purposes" | "flags")[];
  /** True if the last certificate of the same template had a SID from the CA itself. */
  readonly templateHadSid?: true;
}

type Data = TypedEvent<"certificate.issued">["data"];

const sidExtension = "1.3.6.1.4.1.311.25.2";

/** The facts of an event; those that need earlier events are only as good as the memory. */
export function factsOf(event: CertwireEvent, settings: Settings, memory: Memory): Facts {
  const kind = knownKindOf(event);
  if (kind === undefined || !/^(certificate|request)\./.test(kind)) return {};
  // All kinds about a request have data of the same form.
  const data = event.data as Data;
  const name = data.request?.requesterName;
  const requester = name === undefined || name === "" ? undefined : requesterOf(name);
  return withoutAbsent({
    foreignNames: foreignNames(data, requester, settings, memory),
    sidOrigin: sidOriginOf(data),
    sanAttribute: sanAttribute(data),
    foreignRmd: foreignRmd(data, requester),
    foreignCdc: foreignCdc(data, settings),
    ...decisionFacts(event, data, memory),
    ...templateFacts(event, data, memory),
  });
}

/** Keeps what the facts of later events need. Call it once the alarms of the event are out. */
export function remember(event: CertwireEvent, memory: Memory): void {
  const kind = knownKindOf(event);
  const data = event.data as Data;
  const request = requestKey(event, data);
  if (kind === "request.pending" || kind === "request.denied" || kind === "request.failed") {
    const decision = kind.slice("request.".length) as EarlierDecision;
    const isWorse = decision !== "pending" || !memory.decisions.has(request);
    if (isWorse) keep(memory.decisions, request, decision);
  }
  if (kind !== "certificate.issued") return;
  memory.decisions.delete(request);
  const template = templateKey(event, data);
  if (template !== undefined) keepLatest(memory.templates, template, templateState(event, data));
  const { sid } = data.certificate ?? {};
  const name = data.request?.requesterName?.toLowerCase();
  if (sid !== undefined && name !== undefined && sidOriginOf(data) === "policy") {
    keepLatest(memory.sids, name, { place: placeOf(event), sid });
  }
}

function foreignNames(
  { certificate, request }: Data,
  requester: Requester | undefined,
  { upns = {}, lists = {} }: Settings,
  memory: Memory,
): Facts["foreignNames"] {
  if (certificate === undefined || requester === undefined) return undefined;
  const { upn = [], dns = [] } = certificate.subjectAlternativeNames ?? {};
  const account = request?.requesterName ?? "";
  const known = Object.entries(upns).flatMap(([name, own]) =>
    name.toLowerCase() === account.toLowerCase() ? own : [],
  );
  const isController = includesText(lists["domain_controller_accounts"], account);
  const relations = new Set(dnsRelations(dns, requester, isController));
  const ownSid = memory.sids.get(account.toLowerCase())?.sid;
  const kinds = {
    upn: upn.some((each) => !isOwnUpn(each, requester, known)),
    dns: relations.has("dns"),
    subdomain: relations.has("subdomain"),
    sid: ownSid !== undefined && certificate.sid !== undefined && certificate.sid !== ownSid,
  };
  const names = ["upn", "dns", "subdomain", "sid"] as const;
  return listOrAbsent(names.filter((each) => kinds[each]));
}

function sidOriginOf({ certificate, extensions = [] }: Data): string | undefined {
  if (certificate?.sid === undefined) return undefined;
  return extensions.find(({ oid }) => oid === sidExtension)?.origin;
}

/** Values of a request attribute; AD CS does not care about the case of its name. */
function attributeValues({ attributes = [] }: Data, wanted: string): string[] {
  return attributes.flatMap(({ name, value = "" }) =>
    name.toLowerCase() === wanted && value !== "" ? [value] : [],
  );
}

/** The attribute is `dns=a.example&upn=b@a.example`. */
function sanAttribute(data: Data): Facts["sanAttribute"] {
  const attributes = attributeValues(data, "san");
  if (attributes.length === 0) return undefined;
  const asked = attributes
    .flatMap((value) => value.split("&"))
    .map((pair) =>
      pair
        .slice(pair.indexOf("=") + 1)
        .trim()
        .toLowerCase(),
    );
  const names = Object.values(data.certificate?.subjectAlternativeNames ?? {}).flat();
  const issued = new Set(
    names.flatMap((each) => (typeof each === "string" ? [each.toLowerCase()] : [])),
  );
  return asked.some((each) => each !== "" && issued.has(each)) ? "used" : "unused";
}

function foreignRmd(data: Data, requester: Requester | undefined): Facts["foreignRmd"] {
  if (!requester?.isMachine) return undefined;
  const dns = data.certificate?.subjectAlternativeNames?.dns;
  const hosts = attributeValues(data, "rmd").filter(
    (host) => !isOwnHost(host, requester) && includesText(dns, host),
  );
  return listOrAbsent(hosts);
}

function foreignCdc(data: Data, { lists = {} }: Settings): Facts["foreignCdc"] {
  const { domain_controllers: known = [] } = lists;
  if (known.length === 0) return undefined;
  return listOrAbsent(attributeValues(data, "cdc").filter((host) => !includesText(known, host)));
}

function decisionFacts(event: CertwireEvent, data: Data, memory: Memory): Partial<Facts> {
  const { dispositionMessage = "", requesterName = "" } = data.request ?? {};
  // The CA writes the sentence around the name in its own language.
  const said = ` ${dispositionMessage.toLowerCase().replaceAll(/\s/g, " ")} `;
  const isOwn = requesterName !== "" && said.includes(` ${requesterName.toLowerCase()} `);
  const earlierDecision = memory.decisions.get(requestKey(event, data));
  return withoutAbsent({
    decidedByRequester: isOwn ? true : undefined,
    earlierDecision,
  });
}

function templateFacts(event: CertwireEvent, data: Data, memory: Memory): Partial<Facts> {
  const last = memory.templates.get(templateKey(event, data) ?? "");
  const now = templateState(event, data);
  // An event that is replayed or comes late says nothing about the template as it is now.
  if (last === undefined || !isAfter(now.place, last.place)) return {};
  const changes = (["version", "purposes", "flags"] as const).filter(
    (part) => last[part] !== now[part],
  );
  return withoutAbsent({
    templateChanges: listOrAbsent(changes),
    templateHadSid: last.hadSid ? true : undefined,
  });
}

function templateState(event: CertwireEvent, data: Data): TemplateState {
  const { certificate = {}, certificateProperties: row = {} } = data;
  const { template, extendedKeyUsage = [] } = certificate;
  return {
    place: placeOf(event),
    version: [template?.majorVersion, template?.minorVersion].join("."),
    purposes: extendedKeyUsage
      .map(({ oid }) => oid)
      .toSorted()
      .join(),
    flags: [row.enrollmentFlagsCode, row.generalFlagsCode, row.privateKeyFlags].join(),
    hadSid: sidOriginOf(data) === "policy",
  };
}

function templateKey({ source }: CertwireEvent, { certificate }: Data): string | undefined {
  const template = certificate?.template?.oid ?? certificate?.template?.name;
  return template === undefined ? undefined : `${source} ${template}`;
}

function requestKey({ source }: CertwireEvent, { request }: Data): string {
  return `${source} ${request?.requestId}`;
}

/** True if a list has a text, in whatever case. */
function includesText(list: readonly string[] = [], wanted: string): boolean {
  return list.some((each) => each.toLowerCase() === wanted.toLowerCase());
}

function listOrAbsent<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutAbsent<T extends object>(facts: T): Present<T> {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Present<T>;
}
