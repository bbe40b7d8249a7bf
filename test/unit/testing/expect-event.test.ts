import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { EventInbox, expectEvent, testCa } from "../../../src/testing/index.ts";

const ca = testCa();
const issued = ca.issue({ requester: "CORP\\alice", template: "User" });
const revoked = ca.revoke(issued, { reason: "superseded" });

function inboxOf(...events: typeof ca.events): EventInbox {
  const inbox = new EventInbox();
  for (const event of events) inbox.add(event);
  return inbox;
}

test("an event that came before is found, by kind, by members and by a function", async () => {
  const inbox = inboxOf(...ca.events);
  assert.equal(await expectEvent(inbox, "certificate.issued"), issued);
  assert.equal(await expectEvent(inbox, "certificate.revoked", { id: revoked.id }), revoked);
  const serialNumber = issued.data.certificate?.serialNumber;
  assert.ok(serialNumber !== undefined);
  assert.equal(
    await expectEvent(inbox, "certificate.issued", { data: { certificate: { serialNumber } } }),
    issued,
  );
  assert.equal(
    await expectEvent(inbox, "certificate.revoked", ({ data }) => data.revocation !== undefined),
    revoked,
  );
});

test("an event that comes later ends the wait", async () => {
  const inbox = inboxOf(issued);
  const waiting = expectEvent(inbox, "certificate.revoked");
  inbox.add(revoked);
  assert.equal(await waiting, revoked);
});

test("a pattern that throws ends the wait with its error, not the consumer that adds the event", async () => {
  const inbox = new EventInbox();
  const broken = new TypeError("the pattern is broken");
  const waiting = assert.rejects(
    expectEvent(inbox, "certificate.issued", () => {
      throw broken;
    }),
    broken,
  );
  inbox.add(issued);
  await waiting;
  inbox.add(issued);
});

test("without a fitting event the error lists what came, and what is different about it", async () => {
  const inbox = inboxOf(...ca.events);
  const pattern = { data: { request: { requesterName: "CORP\\bob" } } };
  await assert.rejects(
    expectEvent(inbox, "certificate.issued", pattern, { timeoutMs: 1 }),
    (error: { code: string; message: string }) => {
      assert.equal(error.code, "CERTWIRE_TESTING_NO_EVENT");
      assert.match(error.message, /^no certificate\.issued fits: none came within 1 ms; 3 came:/);
      assert.match(error.message, /io\.certwire\.ca\.started\.v1/);
      assert.match(
        error.message,
        /certificate\.issued\.v1 certificate\/\w+ request 1 \(data\.request\.requesterName is "CORP\\\\alice", not "CORP\\\\bob"\)/,
      );
      return true;
    },
  );
  await assert.rejects(expectEvent(new EventInbox(), "crl.issued", {}, { timeoutMs: 1 }), {
    message: "no crl.issued fits: none came within 1 ms; no event came",
  });
});

test("a consumer that fails ends the wait", async () => {
  const inbox = new EventInbox();
  const waiting = expectEvent(inbox, "crl.issued");
  inbox.fail(new Error("the queue is gone"));
  // Not the end of the limit, which would name the failure too.
  await assert.rejects(
    Promise.race([waiting, nextTurn("it still waits")]),
    /the consumer failed: the queue is gone/,
  );
});

test("events of other software fit nothing, and are listed", async () => {
  const inbox = inboxOf({ ...issued, type: "com.example.order" });
  await assert.rejects(
    expectEvent(inbox, "certificate.issued", {}, { timeoutMs: 1 }),
    /com\.example\.order/,
  );
});
