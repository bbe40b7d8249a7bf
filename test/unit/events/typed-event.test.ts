import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, kindOf } from "../../../src/index.ts";
import { eventOf, fixture } from "../../support/exit-records.ts";

test("a consumer that asks for a kind gets its data typed", () => {
  const event = eventOf({ certificate: { RawCertificate: fixture("rsa-v1-template") } });
  assert.equal(isKind(event, "crl.issued"), false);
  assert.ok(isKind(event, "certificate.issued"));
  // This line compiles only because the data has a type.
  const names: readonly string[] = event.data.certificate?.subjectAlternativeNames?.dns ?? [];
  assert.deepEqual(names, ["www.contoso.com", "contoso.com"]);
});

test("a type that is not ours has no kind", () => {
  for (const type of ["com.example.order.placed.v1", "io.certwire.certificate.issued", ""]) {
    assert.throws(() => kindOf({ type }), TypeError);
  }
});
