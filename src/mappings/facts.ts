import type { CertwireEvent, EventKind } from "../events/event.ts";
import { isOwnType, kindOf } from "../events/event-kind.ts";
import { valueAt } from "./field-table.ts";
import { asMilliseconds, asText, asTexts } from "./forms.ts";

/** The kind of an event; `undefined` for one of a later version. */
export function knownKind(event: CertwireEvent): EventKind | undefined {
  return isOwnType(event.type) ? kindOf(event) : undefined;
}

/** The kind of an event; of one of a later version its whole type. */
export function kindName(event: CertwireEvent): string {
  return knownKind(event) ?? event.type;
}

/** The number of the event's record, from its sortable form; absent on an event from the CA's database. */
export function sequenceNumber({ sequence }: CertwireEvent): string | undefined {
  return sequence?.split("-")[1];
}

/** A text in the event. */
export function textAt(event: CertwireEvent, path: string): string | undefined {
  return asText(valueAt(event, path));
}

/** Account and domain of a name such as `CONTOSO\alice`; without a backslash it is all account. */
export function accountOf(name: string | undefined): { account?: string; domain?: string } {
  if (name === undefined) return {};
  const at = name.indexOf("\\");
  return at < 0 ? { account: name } : { account: name.slice(at + 1), domain: name.slice(0, at) };
}

/** Why a revocation has nothing in the fields for who acts. */
export const ofNoRevocation = "not of a revocation or its end: the CA does not say who did that";

/** A text about who asked for what the event reports; absent where the requester is not the one who acted. */
export function requesterAt(event: CertwireEvent, path: string): string | undefined {
  const kind = knownKind(event);
  if (kind === "certificate.revoked" || kind === "certificate.unrevoked") return undefined;
  return textAt(event, path);
}

/** Accounts without their domains. */
export function accountsAt(event: CertwireEvent, paths: readonly string[]): unknown[] {
  return paths.map((path) => accountOf(textAt(event, path)).account);
}

/** Members of `subjectAlternativeNames` that are lists of texts. */
const alternativeNameKinds = [
  "dns",
  "ip",
  "email",
  "uri",
  "upn",
  "directoryName",
  "registeredId",
  "dsObjectGuid",
] as const;

const alternativeNamesPath = "data.certificate.subjectAlternativeNames";

/** The alternative names of the certificate, with the kind of each; those that are only DER are left out. */
export function alternativeNames(event: CertwireEvent): { name: string; type: string }[] {
  return alternativeNameKinds.flatMap((type) =>
    (asTexts(valueAt(event, `${alternativeNamesPath}.${type}`)) ?? []).map((name) => ({
      name,
      type,
    })),
  );
}

/** Why a request was not granted: the symbol of its status, or the number. */
export function failureReason(event: CertwireEvent): string | undefined {
  const kind = knownKind(event);
  if (kind !== "request.denied" && kind !== "request.failed") return undefined;
  return textAt(event, "data.request.statusCodeSymbol") ?? textAt(event, "data.request.statusCode");
}

/** How long the certificate is valid, in seconds. */
export function validitySeconds(event: CertwireEvent): number | undefined {
  const from = asMilliseconds(valueAt(event, "data.certificate.notBefore"));
  const to = asMilliseconds(valueAt(event, "data.certificate.notAfter"));
  return from === undefined || to === undefined ? undefined : (to - from) / 1000;
}
