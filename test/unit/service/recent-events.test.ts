import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalFrame } from "../../../src/journal/frame.ts";
import { type RecentEvent, RecentEvents } from "../../../src/service/recent-events.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  readAll,
  record,
  smallEvent,
} from "../../support/small-journal.ts";

const idsOf = (events: readonly RecentEvent[]) => events.map(({ requestId }) => Number(requestId));

/** The numbers from `first` down to `last`. */
function down(first: number, last: number): number[] {
  return Array.from({ length: first - last + 1 }, (_, index) => first - index);
}

test("the newest 50 records are read, and later those that have come", async (t) => {
  const directory = journalDirectory(t);
  const simulator = openSmall(directory);
  t.after(() => simulator.close());
  const recent = new RecentEvents({ directory, newest: () => undefined });
  assert.deepEqual(await recent.read(), []);
  record(simulator, 1, 300);
  await flushed(simulator);
  assert.deepEqual(idsOf(await recent.read()), down(300, 251));
  assert.deepEqual(idsOf(await recent.read()), down(300, 251), "nothing twice");
  record(simulator, 301, 303);
  await flushed(simulator);
  assert.deepEqual(idsOf(await recent.read()), down(303, 254));
});

test("when very much has come, the list begins anew at the newest record that is known, without a hole", async (t) => {
  const directory = journalDirectory(t);
  const simulator = openSmall(directory, 8 * 2 ** 20);
  t.after(() => simulator.close());
  let newest: JournalFrame | undefined;
  const recent = new RecentEvents({ directory, newest: () => newest });
  record(simulator, 1, 10);
  await flushed(simulator);
  assert.deepEqual(idsOf(await recent.read()), down(10, 1));
  record(simulator, 11, 6000);
  await flushed(simulator);
  newest = (await readAll(directory)).at(-3);
  assert.deepEqual(idsOf(await recent.read()), [6000, 5999, 5998]);
  record(simulator, 6001, 6001);
  await flushed(simulator);
  assert.deepEqual(idsOf(await recent.read()), [6001, 6000, 5999, 5998]);
});

test("a row has what the CA said, in texts of a limited length", async (t) => {
  const directory = journalDirectory(t);
  const simulator = openSmall(directory);
  t.after(() => simulator.close());
  const endless = "🔑".repeat(2000);
  simulator.notify({
    ...smallEvent(7),
    request: {
      RequestID: { long: 7 },
      RequesterName: { string: "CORP\\anna" },
      Disposition: { long: 21 },
      RevokedReason: { long: 1 },
    },
    event: 8,
    certificate: {
      DistinguishedName: { string: endless },
      CertificateTemplate: { string: "User" },
      SerialNumber: { string: "0a0b" },
    },
  });
  simulator.notify({
    ...smallEvent(8),
    event: 4,
    request: {
      RequestID: { long: 8 },
      Disposition: { long: 31 },
      StatusCode: { long: 0x80094012 - 2 ** 32 },
    },
  });
  await flushed(simulator);
  const [denied, revoked] = await new RecentEvents({ directory, newest: () => undefined }).read();
  const { id, time, ...rest } = revoked ?? {};
  assert.match(String(id), /^[0-9a-f]{32}-\d+-0$/);
  assert.match(String(time), /^\d{4}-.*Z$/);
  assert.deepEqual(rest, {
    kind: "certificate.revoked",
    requestId: "7",
    template: "User",
    serialNumber: "0a0b",
    detail: "keyCompromise",
    names: { requester: "CORP\\anna", subject: `${"🔑".repeat(200)}…` },
  });
  assert.equal(denied?.kind, "request.denied");
  assert.equal(denied?.detail, "CERTSRV_E_TEMPLATE_DENIED");
});

test("a template of which the CA has the OID alone is shown by the name that was asked for, marked as such, or else by the OID", async (t) => {
  const directory = journalDirectory(t);
  const simulator = openSmall(directory);
  t.after(() => simulator.close());
  const oid = "1.3.6.1.4.1.311.21.8.5921034.11";
  const templates = async (CertificateTemplate: string, asked?: string) => {
    simulator.notify({
      ...smallEvent(1),
      certificate: { CertificateTemplate: { string: CertificateTemplate } },
      attributes: asked === undefined ? [] : [["CertificateTemplate", asked]],
    });
    await flushed(simulator);
    const [newest] = await new RecentEvents({ directory, newest: () => undefined }).read();
    return newest?.template;
  };
  assert.equal(await templates(oid, "CorpWebServer"), "*CorpWebServer");
  assert.equal(await templates(oid), oid);
  assert.equal(await templates("User", "Administrator"), "User");
});
