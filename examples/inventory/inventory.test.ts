import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import pg from "pg";
import type { CertwireEvent } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import {
  type LocalPostgres,
  startLocalPostgres,
} from "../../test/integration/support/local-postgres.ts";
import { lifelikeEvents } from "../../test/support/lifelike-events.ts";
import type { Handler } from "./certwire.ts";
import { inventoryHandlers } from "./inventory.ts";
import { attentionText } from "./report.ts";

const dayMs = 86_400_000;
/** Certificates of a year end within 30 days by now. */
const old = lifelikeEvents("inventory rules", 300, { startAt: Date.now() - 350 * dayMs }).events;

let server: LocalPostgres;
let pool: pg.Pool;

before(async () => {
  server = await startLocalPostgres();
  pool = new pg.Pool({ ...server.address, max: 2 });
});

after(async () => {
  await pool.end();
  await server.stop();
});

beforeEach(async () => {
  await pool.query("DROP TABLE IF EXISTS request, certificate, crl, gap, history CASCADE");
  await pool.query(readFileSync("examples/inventory/schema.sql", "utf8"));
});

async function apply(...events: readonly CertwireEvent[]): Promise<void> {
  const client = await pool.connect();
  try {
    for (const event of events) {
      const kind = kindOf(event);
      const handler = inventoryHandlers[kind] ?? inventoryHandlers.otherwise;
      const message = { place: "test", headers: {}, body: Buffer.alloc(0), isRedelivered: false };
      const { signal } = new AbortController();
      // The kind says which type of data the handler takes.
      await (handler as Handler<CertwireEvent, pg.PoolClient>)(event, {
        message,
        attempt: 1,
        signal,
        transaction: client,
      });
    }
  } finally {
    client.release();
  }
}

async function rows(query: string): Promise<Record<string, unknown>[]> {
  return (await pool.query<Record<string, unknown>>(query)).rows;
}

function eventOf(kind: string, matches: (event: CertwireEvent) => boolean = () => true) {
  const found = old.find((event) => kindOf(event) === kind && matches(event));
  assert.ok(found, kind);
  return found;
}

/** A copy with other members of `data`. */
function withData(event: CertwireEvent, changes: object, attributes: object = {}): CertwireEvent {
  return { ...event, ...attributes, data: { ...event.data, ...changes } };
}

const revoked = eventOf("certificate.revoked", ({ data }) => {
  return (data["revocation"] as { reason: string }).reason !== "certificateHold";
});
const issued = eventOf("certificate.issued", ({ subject }) => subject === revoked.subject);

test("a revocation stays when the event of the issue arrives after it", async () => {
  await apply(revoked, issued);
  assert.deepEqual(await rows("SELECT state FROM certificate"), [{ state: "revoked" }]);
  assert.deepEqual(await rows("SELECT state FROM request"), [{ state: "issued" }]);
});

test("a revocation whose reason could not be read is one", async () => {
  const { revocation: _, ...data } = revoked.data;
  await apply(issued, { ...revoked, data });
  assert.deepEqual(await rows("SELECT state, revocation_reason AS reason FROM certificate"), [
    { state: "revoked", reason: null },
  ]);
});

test("an imported certificate is known as such whatever arrives first", async () => {
  const imported = eventOf("certificate.imported");
  await apply(withData(imported, {}, { type: revoked.type, sequence: revoked.sequence }), imported);
  assert.deepEqual(await rows("SELECT is_imported FROM certificate"), [{ is_imported: true }]);
});

test("a certificate without its bytes leaves the row of the request", async () => {
  const { certificate: _, ...data } = issued.data;
  await apply({ ...issued, data });
  assert.deepEqual(await rows("SELECT state FROM request"), [{ state: "issued" }]);
  assert.deepEqual(await rows("SELECT * FROM certificate"), []);
});

test("a CRL that is current is not overdue, one whose successor is late is", async () => {
  const crl = eventOf("crl.issued").data["crl"] as object;
  const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();
  const published = (nextPublish: string, nextUpdate: string, sequence: string) =>
    withData(
      eventOf("crl.issued"),
      { crl: { ...crl, kind: "base", nextPublish, nextUpdate } },
      { sequence },
    );
  await apply(published(at(1), at(2), "0000000001-00000000000000000001"));
  assert.deepEqual(await rows("SELECT * FROM crl_overdue"), []);
  await apply(published(at(-1), at(2), "0000000001-00000000000000000002"));
  assert.deepEqual(await rows("SELECT kind, state FROM crl_overdue"), [
    { kind: "base", state: "late" },
  ]);
});

test("the last delta CRL of a CA that publishes none any more is not overdue", async () => {
  const delta = eventOf("crl.issued", ({ subject }) => subject?.includes("/delta/") ?? false);
  await apply(delta);
  assert.equal((await rows("SELECT * FROM crl_overdue")).length, 1);
  const crl = delta.data["crl"] as object;
  const ca = { ...(delta.data["ca"] as object), deltaCrlsDisabled: 1 };
  const nextUpdate = new Date(Date.now() + dayMs).toISOString();
  const base = { ...crl, kind: "base", nextPublish: nextUpdate, nextUpdate };
  await apply(withData(delta, { crl: base, ca }, { sequence: "0000009999-00000000000000000001" }));
  assert.deepEqual(await rows("SELECT kind FROM crl"), [{ kind: "base" }]);
  assert.deepEqual(await rows("SELECT * FROM crl_overdue"), []);
});

test("of a certificate and the one that renews it, the old one is marked", async () => {
  const certificate = issued.data["certificate"] as { fingerprints: object };
  const fingerprints = { ...certificate.fingerprints, sha256: "00".repeat(32) };
  const notAfter = new Date(Date.now() + 300 * dayMs).toISOString();
  const soon = new Date(Date.now() + 3 * dayMs).toISOString();
  const first = withData(issued, { certificate: { ...certificate, notAfter: soon } });
  await apply(first);
  assert.deepEqual(await rows("SELECT is_renewed FROM expiring_soon"), [{ is_renewed: false }]);
  await apply(withData(issued, { certificate: { ...certificate, fingerprints, notAfter } }));
  assert.deepEqual(await rows("SELECT is_renewed FROM expiring_soon"), [{ is_renewed: true }]);
});

test("the report answers each question, and no text of a requester acts on the terminal", async () => {
  assert.equal((await attentionText(pool)).match(/none/g)?.length, 5);
  const certificate = issued.data["certificate"] as { fingerprints: object };
  const fingerprints = { ...certificate.fingerprints, sha256: "00".repeat(32) };
  const subject = { distinguishedName: "CN=\u001B[2J\u202Eevil" };
  const notAfter = new Date(Date.now() + 3 * dayMs).toISOString();
  const hostile = withData(issued, {
    certificate: { ...certificate, fingerprints, subject, notAfter },
  });
  await apply(...old, hostile);
  const gap = { reason: "disk-full", ca: { id: "x" }, problems: [] };
  await apply({ ...issued, type: "io.certwire.journal.gap.v1", data: gap });
  const text = await attentionText(pool);
  assert.match(text, /^Certificates by state\n {2}on hold {2}\d+\n {2}revoked {2}\d+\n {2}valid/);
  assert.match(text, /disk-full {2}unknown/);
  assert.match(text, /CRLs overdue\n {2}CN=Corp Issuing CA 1/);
  assert.match(text, /CN=\uFFFD\[2J\uFFFDevil/);
  assert.doesNotMatch(text, /(?!\n)\p{Cc}|\p{Cf}/u);
});
