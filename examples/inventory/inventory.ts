import type { ClientBase } from "pg";
import type { CertwireEvent, EventKind, HandlerContext, Handlers, TypedEvent } from "./certwire.ts";

/** What every event has, whatever its kind. */
type EventAttributes = Omit<CertwireEvent, "data">;

type CertificateKind = Extract<EventKind, `certificate.${string}`>;
type RequestKind = CertificateKind | "request.pending" | "request.denied" | "request.failed";
type RequestState = "pending" | "issued" | "denied" | "failed";

/**
 * What each kind of event changes in the tables of `schema.sql`. An event is in `history` together with what it
 * changes, or neither is.
 */
export const inventoryHandlers: Handlers<ClientBase> = {
  "certificate.issued": changing((event, transaction) => writeRow(event, "valid", transaction)),
  "certificate.revoked": changing((event, transaction) => writeRow(event, "revoked", transaction)),
  "certificate.unrevoked": changing((event, transaction) => writeRow(event, "valid", transaction)),
  "certificate.imported": changing(async (event, transaction) => {
    await writeRow(event, "valid", transaction);
    await markImported(event, transaction);
  }),
  "request.pending": changing((event, transaction) => writeRequest(event, "pending", transaction)),
  "request.denied": changing((event, transaction) => writeRequest(event, "denied", transaction)),
  "request.failed": changing((event, transaction) => writeRequest(event, "failed", transaction)),
  "crl.issued": changing(writeCrl),
  "journal.gap": changing(writeGap),
  otherwise: changing(async () => undefined),
};

/** A handler that writes what an event changes, and the event itself into `history`. */
function changing<E extends EventAttributes>(
  change: (event: E, transaction: ClientBase) => Promise<void>,
): (event: E, context: HandlerContext<ClientBase>) => Promise<void> {
  return async (event, { transaction }) => {
    await change(event, transaction);
    await writeHistory(event, transaction);
  };
}

type CertificateState = "valid" | "on hold" | "revoked";

/** `usual`: the state where the event has no reason of a revocation, which the CA may have failed to return. */
async function writeRow(
  event: TypedEvent<CertificateKind>,
  usual: CertificateState,
  transaction: ClientBase,
): Promise<void> {
  await writeRequest(event, "issued", transaction);
  await writeCertificate(event, usual, transaction);
}

/**
 * An event may arrive after a later one of the same request, when it was a dead letter. A row has the `sequence` of its
 * newest event, and an older one changes nothing. Sequences of one journal sort as text.
 */
const ifNewer = (table: string): string => `WHERE excluded.sequence > ${table}.sequence`;

async function writeRequest(
  { source, sequence, data }: TypedEvent<RequestKind>,
  state: RequestState,
  transaction: ClientBase,
): Promise<void> {
  const { request, certificate } = data;
  if (request?.requestId === undefined) return;
  await transaction.query(
    `INSERT INTO request (source, request_id, state, requester, message, status_code, submitted_at,
       certificate_sha256, sequence)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (source, request_id) DO UPDATE SET
       state = excluded.state, requester = excluded.requester, message = excluded.message,
       status_code = excluded.status_code, submitted_at = excluded.submitted_at,
       certificate_sha256 = excluded.certificate_sha256, sequence = excluded.sequence
     ${ifNewer("request")}`,
    [
      source,
      request.requestId,
      state,
      request.requesterName,
      request.dispositionMessage,
      request.statusCode,
      request.submittedWhen,
      certificate?.fingerprints?.sha256,
      sequence,
    ],
  );
}

async function writeCertificate(
  event: TypedEvent<CertificateKind>,
  usual: CertificateState,
  transaction: ClientBase,
): Promise<void> {
  const { source, sequence, data } = event;
  const { certificate, request, revocation } = data;
  // Without the certificate's bytes, which the CA may fail to return, the row of the request is all there is.
  if (certificate?.fingerprints === undefined) return;
  const state = stateOf(revocation?.reasonCode) ?? usual;
  await transaction.query(
    `INSERT INTO certificate (sha256, source, serial_number, state, subject, issuer, dns_names, upns, template,
       requester, not_before, not_after, revocation_reason, revoked_at, sequence)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     ON CONFLICT (sha256) DO UPDATE SET
       source = excluded.source, state = excluded.state, revocation_reason = excluded.revocation_reason,
       revoked_at = excluded.revoked_at, sequence = excluded.sequence
     ${ifNewer("certificate")}`,
    [
      certificate.fingerprints.sha256,
      source,
      certificate.serialNumber,
      state,
      ...namesIn(certificate),
      request?.requesterName,
      certificate.notBefore,
      certificate.notAfter,
      state === "valid" ? undefined : revocation?.reason,
      state === "valid" ? undefined : revocation?.revokedWhen,
      sequence,
    ],
  );
}

type Certificate = NonNullable<TypedEvent<CertificateKind>["data"]["certificate"]>;

/** The columns `subject` to `template`. */
function namesIn({ subject, issuer, subjectAlternativeNames, template }: Certificate): unknown[] {
  const { dns = [], upn = [] } = subjectAlternativeNames ?? {};
  const names = [subject?.distinguishedName, issuer?.distinguishedName];
  return [...names, dns, upn, template?.name ?? template?.oid];
}

async function markImported(
  { data }: TypedEvent<"certificate.imported">,
  transaction: ClientBase,
): Promise<void> {
  const sha256 = data.certificate?.fingerprints?.sha256;
  await transaction.query("UPDATE certificate SET is_imported = true WHERE sha256 = $1", [sha256]);
}

/** By the CA's reason: 6 is a hold, -1 the release from it. */
function stateOf(reasonCode: number | undefined): CertificateState | undefined {
  if (reasonCode === undefined) return undefined;
  if (reasonCode === -1) return "valid";
  return reasonCode === 6 ? "on hold" : "revoked";
}

async function writeCrl(event: TypedEvent<"crl.issued">, transaction: ClientBase): Promise<void> {
  const { source, sequence, data } = event;
  const { crl, ca } = data;
  if (crl === undefined) return;
  const authority = crl.authorityKeyIdentifier ?? crl.issuer?.distinguishedName ?? source;
  await transaction.query(
    `INSERT INTO crl (authority, kind, source, issuer, number, this_update, next_update,
       next_publish, entries, sequence)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (authority, kind) DO UPDATE SET
       source = excluded.source, number = excluded.number, this_update = excluded.this_update,
       next_update = excluded.next_update, next_publish = excluded.next_publish, entries = excluded.entries,
       sequence = excluded.sequence
     ${ifNewer("crl")}`,
    [
      authority,
      crl.kind,
      source,
      crl.issuer?.distinguishedName,
      crl.number,
      crl.thisUpdate,
      crl.nextUpdate,
      crl.nextPublish,
      crl.entryCount,
      sequence,
    ],
  );
  // The last delta CRL of a CA that publishes none any more is never overdue.
  if (ca.deltaCrlsDisabled === 1) {
    await transaction.query(
      "DELETE FROM crl WHERE authority = $1 AND kind = 'delta' AND sequence < $2",
      [authority, sequence],
    );
  }
}

async function writeGap(event: TypedEvent<"journal.gap">, transaction: ClientBase): Promise<void> {
  const { source, id, data } = event;
  const { reason, count, firstTime, lastTime, requestIds = [] } = data;
  await transaction.query(
    `INSERT INTO gap (source, event_id, reason, lost, first_time, last_time, request_ids)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [source, id, reason, count, firstTime, lastTime, requestIds],
  );
}

async function writeHistory(
  { source, id, type, subject, time }: EventAttributes,
  transaction: ClientBase,
): Promise<void> {
  await transaction.query(
    "INSERT INTO history (source, event_id, type, subject, happened_at) VALUES ($1, $2, $3, $4, $5)",
    [source, id, type, subject, time],
  );
}
