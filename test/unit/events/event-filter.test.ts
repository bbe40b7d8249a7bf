import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EventKind } from "../../../src/events/event.ts";
import { EventFilter, type FilterOptions } from "../../../src/events/event-filter.ts";
import { matchesPattern } from "../../../src/events/wildcard.ts";
import { sampleEvent } from "../../support/sample-events.ts";

function eventOf(kind: EventKind, data: Record<string, unknown> = {}) {
  return { ...sampleEvent(1), type: `io.certwire.${kind}.v1`, data };
}

function wants(options: FilterOptions, kind: EventKind, data: Record<string, unknown> = {}) {
  return new EventFilter(options).wants(eventOf(kind, data));
}

const templateOid = "1.3.6.1.4.1.311.21.8.7.9";

/** A certificate of a version 2 template, which the CA knows by its OID, and the requester by its name. */
const issued = {
  ca: { id: "ab12", name: "Contoso Issuing CA 1" },
  request: { requestId: 5, requesterName: "CORP\\svc-web" },
  certificate: { template: { oid: templateOid } },
  attributes: [{ name: "certificateTEMPLATE", value: "CorpWebServer" }],
};

test("a star stands for any text, everything else for itself, whatever the case", () => {
  const cases: [text: string, pattern: string, isMatch: boolean][] = [
    ["CORP\\alice", "corp\\ALICE", true],
    ["CORP\\alice", "corp", false],
    ["CORP\\alice", "corp*", true],
    ["CORP\\alice", "*ALICE", true],
    ["CORP\\alice", "*", true],
    ["", "*", true],
    ["", "**", true],
    ["ab", "a*b*", true],
    ["a", "a*a", false],
    ["aba", "ab*ba", false],
    ["a.c", "a.c", true],
    ["abc", "a.c", false],
    ["a\nb", "a*b", true],
  ];
  for (const [text, pattern, isMatch] of cases) {
    assert.equal(matchesPattern(text, pattern), isMatch, `${text} against ${pattern}`);
  }
});

test("a pattern matches as the regular expression of the same meaning does", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ".") });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 8 });
  fc.assert(
    fc.property(text, pattern, (value, wanted) => {
      const expression = wanted.replaceAll(".", "\\.").replaceAll("*", "[^]*");
      assert.equal(matchesPattern(value, wanted), new RegExp(`^${expression}$`).test(value));
    }),
  );
});

test("without conditions a sink wants every event", () => {
  assert.ok(wants({}, "request.failed"));
});

test("an event must meet one condition of only, and none of except", () => {
  const options = {
    only: [{ kind: ["certificate.*"], requester: ["corp\\svc-*"] }, { kind: ["crl.issued"] }],
    except: [{ ca: ["*CA 1"], template: [templateOid] }],
  };
  const other = { ...issued, certificate: { template: { name: "WebServer" } } };
  assert.ok(wants(options, "certificate.issued", other));
  assert.ok(!wants(options, "certificate.issued", issued), "except");
  assert.ok(!wants(options, "request.pending", other), "kind");
  assert.ok(!wants(options, "certificate.issued", { ...other, request: {} }), "no requester");
  assert.ok(wants(options, "crl.issued"), "the second condition");
});

test("losses and the CA's own events pass, unless except names their kind", () => {
  const kinds = ["journal.gap", "ca.started", "ca.changed", "ca.stopped", "ca.unrecognized"];
  for (const kind of kinds as EventKind[]) {
    assert.ok(wants({ only: [{ template: ["WebServer"] }] }, kind), kind);
    assert.ok(wants({ only: [{ kind: ["crl.issued"] }] }, kind), kind);
    assert.ok(wants({ except: [{ kind: ["*"] }] }, kind), kind);
    assert.ok(wants({ except: [{ ca: ["*"] }] }, kind, issued), kind);
    assert.ok(!wants({ except: [{ kind: [`${kind.split(".")[0]}.*`] }] }, kind), kind);
    assert.ok(!wants({ except: [{ kind: [kind] }] }, kind), kind);
    assert.ok(!wants({ only: [{ kind: [kind] }], except: [{ kind: [kind] }] }, kind), kind);
  }
  assert.ok(!wants({ except: [{ kind: ["*"] }] }, "certificate.issued"));
});

test("what a requester claims of the template brings an event to a sink, and hides none", () => {
  const byName = [{ template: ["corpweb*"] }];
  assert.ok(wants({ only: byName }, "certificate.issued", issued));
  assert.ok(wants({ except: byName }, "certificate.issued", issued));
  // Of a request that was denied the CA keeps no template.
  const { certificate: _, ...denied } = issued;
  assert.ok(!wants({ except: byName }, "request.denied", denied));
  const parsed = { requested: { template: { oid: templateOid } } };
  assert.ok(!wants({ except: [{ template: [templateOid] }] }, "request.failed", parsed));
});

test("the CA's row has the template where its certificate has none, and the CA is known by its id", () => {
  const row = { ca: issued.ca, certificateProperties: { certificateTemplate: "Machine" } };
  const only = [{ template: ["machine"], ca: ["AB12"] }];
  assert.ok(wants({ only }, "request.pending", row));
  assert.ok(!wants({ only: [{ ca: ["other"] }] }, "request.pending", row));
});

test("a value that could not be read keeps the event", () => {
  const problems = [{ property: "request.RequesterName", reason: "budget" }];
  const unread = { ...issued, request: { requestId: 5 }, problems };
  const condition = [{ requester: ["corp\\*"] }];
  assert.ok(wants({ only: condition }, "certificate.issued", unread));
  assert.ok(wants({ except: condition }, "certificate.issued", unread));
  const noOther = [{ requester: ["corp\\*"], kind: ["request.*"] }];
  assert.ok(!wants({ only: noOther }, "certificate.issued", unread), "decided by the kind");
  const template = [{ template: ["Machine"] }];
  const property = "certificate.CertificateTemplate";
  const denied = (symbol: string) => ({
    problems: [{ property, reason: "error", hresult: "0x80094003", symbol }],
  });
  assert.ok(
    !wants({ only: template }, "request.denied", denied("CERTSRV_E_BAD_REQUESTSTATUS")),
    "there is no certificate to read it from",
  );
  assert.ok(wants({ only: template }, "certificate.issued", denied("E_OUTOFMEMORY")));
});

test("what was not read to the end leaves no event out, by whatever is missing", () => {
  const conditions: FilterOptions["only"] = [
    { requester: ["corp\\*"] },
    { template: ["Machine"] },
    { ca: ["Contoso*"] },
  ];
  const ends = [
    { property: "server", reason: "error", hresult: "0x8007000e" },
    { property: "server", reason: "fault" },
    { property: "request.SubmittedWhen", reason: "fault" },
  ];
  for (const problem of ends) {
    const data = { ca: { id: "ab12" }, problems: [problem] };
    for (const condition of conditions) {
      const place = JSON.stringify([problem, condition]);
      assert.ok(wants({ only: [condition] }, "request.failed", data), place);
      assert.ok(wants({ except: [condition] }, "request.failed", data), place);
    }
  }
  const read = { ...issued, problems: [{ property: "request.SubmittedWhen", reason: "fault" }] };
  const others = [{ requester: ["corp\\alice"] }];
  assert.ok(!wants({ only: others }, "request.failed", read), "the requester was read before");
});

test("a CA whose name could not be read is known by its id only", () => {
  const data = { ca: { id: "ab12" }, problems: [{ property: "ca.Name", reason: "budget" }] };
  assert.ok(wants({ only: [{ ca: ["Contoso*"] }] }, "request.failed", data));
  assert.ok(wants({ except: [{ ca: ["Contoso*"] }] }, "request.failed", data));
  assert.ok(!wants({ except: [{ ca: ["ab*"] }] }, "request.failed", data));
});

test("a template whose row could not be read is not decided by what the requester claims", () => {
  const { certificate: _, ...row } = issued;
  const problems = [{ property: "certificate.CertificateTemplate", reason: "budget" }];
  const unread = { ...row, problems };
  assert.ok(wants({ except: [{ template: ["corpweb*"] }] }, "certificate.issued", unread));
  assert.ok(wants({ only: [{ template: ["Machine"] }] }, "certificate.issued", unread));
});

test("a claim that could not be read may be the one that a sink wants", () => {
  const { attributes: _, ...silent } = issued;
  for (const property of [
    "attributes",
    "attribute.certificateTemplate",
    "request.RawRequest",
    "requested",
  ]) {
    const data = { ...silent, problems: [{ property, reason: "limit" }] };
    assert.ok(wants({ only: [{ template: ["CorpWeb*"] }] }, "certificate.issued", data), property);
    const byOid = [{ template: [templateOid] }];
    assert.ok(!wants({ except: byOid }, "certificate.issued", data), "the CA's own is known");
  }
});

test("what was redacted or left out of an event is not what a condition compares", () => {
  const requester = [{ requester: ["CORP\\svc-*"] }];
  const redacted = (detail: string, requesterName?: string) => ({
    ...issued,
    request: { requestId: 5, ...(requesterName && { requesterName }) },
    problems: [{ property: "request.requesterName", reason: "redacted", detail }],
  });
  for (const data of [
    redacted("HMAC-SHA-256", "0".repeat(64)),
    redacted("removed"),
    { ...issued, request: undefined, problems: [{ property: "request", reason: "omitted" }] },
  ]) {
    assert.ok(wants({ only: requester }, "certificate.issued", data));
    assert.ok(wants({ except: requester }, "certificate.issued", data));
    assert.ok(wants({ except: [{ requester: ["*"] }] }, "certificate.issued", data));
  }
});
