// Runs in vitest, which with-vitest.test.ts starts.
import { expect, test } from "vitest";
import { EventInbox, expectEvent, testCa } from "../../../src/testing/index.ts";

test("the kit works in vitest", async () => {
  const ca = testCa();
  const inbox = new EventInbox();
  const issued = ca.issue({ sans: ["www.example.com"] });
  const waiting = expectEvent(inbox, "certificate.issued", { id: issued.id });
  inbox.add(issued);
  const { data } = await waiting;
  expect(data.certificate?.subjectAlternativeNames?.dns).toEqual(["www.example.com"]);
  await expect(
    expectEvent(inbox, "certificate.revoked", {}, { timeoutMs: 1 }),
  ).rejects.toMatchObject({ code: "CERTWIRE_TESTING_NO_EVENT" });
});
