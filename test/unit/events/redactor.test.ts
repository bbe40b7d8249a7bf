import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { members } from "../../../src/events/redaction/members.ts";
import { type RedactionOptions, Redactor } from "../../../src/events/redaction/redactor.ts";
import { repetitionsOf } from "../../../src/events/redaction/repetitions.ts";
import { eventData } from "../../../src/events/schemas/event-data.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { sampleEvent } from "../../support/sample-events.ts";

const key = "0123456789abcdef0123456789abcdef";

function hashOf(text: string): string {
  return createHmac("sha256", key).update(text.toLowerCase()).digest("hex");
}

function redact(event: CertwireEvent, options: Partial<RedactionOptions>): CertwireEvent {
  return new Redactor({ remove: [], hash: [], key, ...options }).redact(event);
}

function fixture(name: string): CertwireEvent {
  return JSON.parse(readFileSync(`test/fixtures/events/${name}.json`, "utf8")) as CertwireEvent;
}

const der = (text: string): string => Buffer.from(text).toString("base64");
const sid = "S-1-5-21-1004336348-1177238915-682003330-1105";

/** An event that names its requester wherever one can be named. */
const named: CertwireEvent = {
  ...sampleEvent(7),
  subject: "certificate/0A1B",
  data: {
    ...fixture("certificate.issued").data,
    ca: { id: "ab12", name: "CA 1", userDn: "CN=Alice,OU=Staff,DC=corp,DC=example" },
    request: {
      requestId: 7,
      requesterName: "CORP\\alice",
      callerName: "CORP\\Alice",
      requesterNameFromOldCertificate: "CORP\\alice",
      dispositionMessage: "Resubmitted by CORP\\alice",
      requestAttributes: "UserName:alice\nCertificateTemplate:User",
      rawRequest: { length: 5, sha256: "0".repeat(64), der: der("request of alice") },
      rawOldCertificate: der("old certificate of alice"),
      commonName: "alice",
      organization: "Malice Ltd",
    },
    requested: {
      format: "cmc",
      subject: { distinguishedName: "CN=alice,C=DE", commonName: ["alice"] },
      clientInfo: { userName: "CORP\\alice", machineName: "WS-ALICE", processName: "mmc.exe" },
      sid,
    },
    certificate: {
      serialNumber: "0A1B",
      subject: { distinguishedName: "CN=alice,C=DE", commonName: ["alice"], country: ["DE"] },
      subjectAlternativeNames: {
        upn: ["Alice@corp.example"],
        uri: [`tag:microsoft.com,2022-09-14:sid:${sid}`],
      },
      sid,
      der: der("certificate of alice"),
    },
    attributes: [{ name: "owner-alice", value: "CORP\\alice" }],
    extensions: [{ oid: "2.5.29.17", origin: "policy", der: der("alice") }],
    unknownProperties: [
      { name: "request.New", type: "text", value: "by alice" },
      { name: "request.Bytes", type: "binary", value: der("alice") },
    ],
    problems: [
      { property: "attribute.owner-alice", reason: "text", utf16: der("alice") },
      {
        property: "request.SurName",
        reason: "cut",
        length: 5,
        sha256: "1".repeat(64),
        first: "aa",
      },
    ],
  },
};

/** Everything that can be read in an event: its texts, and what its base64 holds. */
function readable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "string"
      ? `${inner} ${Buffer.from(inner, "base64").toString("latin1")}`
      : inner,
  );
}

test("redacting the requester leaves no other member in which the name or the SID can be read", () => {
  for (const options of [
    { hash: ["request.requesterName"] },
    { remove: ["request.requesterName"] },
    { hash: ["requested.clientInfo.userName"] },
  ]) {
    const redacted = redact(named, options);
    const { request } = redacted.data as { request: { organization: string } };
    assert.equal(request.organization, "Malice Ltd", "a longer word is another one");
    const rest = readable(redacted).replaceAll("Malice", "");
    assert.doesNotMatch(rest, /alice/i, JSON.stringify(options));
    assert.ok(!rest.includes(sid), JSON.stringify(options));
    assert.ok(!rest.includes("1".repeat(64)), "the hash of a name that was cut");
    assert.match(rest, /WS-/, "the rest of a text stays");
  }
});

test("a hash is the HMAC of the text in lower case, in each member that names the same account", () => {
  const { data } = redact(named, { hash: ["request.requesterName"] });
  const { request, requested, certificate } = data as Record<string, Record<string, unknown>>;
  const hash = hashOf("CORP\\alice");
  assert.deepEqual(
    [request?.["requesterName"], request?.["callerName"], request?.["dispositionMessage"]],
    [hash, hash, `Resubmitted by ${hash}`],
  );
  assert.deepEqual(requested?.["clientInfo"], {
    userName: hash,
    machineName: `WS-${hash}`,
    processName: "mmc.exe",
  });
  assert.equal(certificate?.["sid"], hashOf(sid));
  const { distinguishedName, commonName } = Object(certificate?.["subject"]);
  assert.deepEqual([distinguishedName, commonName], [`CN=${hash},C=DE`, [hash]]);
});

test("what differs from the record is named in problems, without length and hash of the value", () => {
  const { data } = redact(named, { hash: ["request.requesterName"] });
  const found = (data["problems"] as { property: string; reason: string }[]).filter(
    ({ reason }) => reason === "redacted",
  );
  const details = new Map(found.map((each) => [each.property, Object(each).detail]));
  assert.equal(details.get("request.requesterName"), "HMAC-SHA-256");
  assert.equal(details.get("certificate.der"), "removed");
  assert.equal(details.get("request.dispositionMessage"), "replaced in part");
  assert.ok(found.every((each) => Object.keys(each).join() === "property,reason,detail"));
  assert.ok(!details.has("request.organization"));
});

test("a member that is removed is absent, and so is what stands for the same", () => {
  const removed = redact(named, { remove: ["certificate.subject", "certificate.serialNumber"] });
  const { request, requested, certificate } = removed.data as Record<string, object>;
  assert.ok(!("subject" in Object(certificate)) && !("subject" in Object(requested)));
  assert.ok(!("commonName" in Object(request)));
  assert.equal(removed.subject, "certificate/[redacted]");
  assert.equal(Object(request).requesterName, "CORP\\[redacted]");
});

test("CRLs and certificates of the CA stay whole until something about the CA is redacted", () => {
  const event = fixture("crl.issued");
  const derOf = ({ data }: CertwireEvent): unknown => Object(data["crl"]).der;
  assert.ok(derOf(event));
  assert.equal(derOf(redact(event, { hash: ["request.requesterName"] })), derOf(event));
  assert.equal(derOf(redact(event, { hash: ["ca.name"] })), undefined);
});

test("an event that is redacted already stays as it is, also after it was made smaller", () => {
  const options = { hash: ["request.requesterName"], remove: ["attributes"] };
  const once = redact(named, options);
  assert.deepEqual(redact(once, options), once);
  assert.deepEqual(redact(once, { ...options, key: `other ${key}` }), once);
  const small = shrinkEvent(once, 1000);
  assert.ok(!("requested" in small.data) || JSON.stringify(small).length <= 1000);
  assert.deepEqual(redact(small, options), small);
});

test("the event itself is not changed", () => {
  const before = structuredClone(named);
  redact(named, { hash: ["request.requesterName"], remove: ["certificate.subject"] });
  assert.deepEqual(named, before);
});

test("an empty key hashes nothing", () => {
  assert.throws(() => redact(named, { hash: ["request.requesterName"], key: "" }), /no key/);
});

test("whatever is redacted, an event keeps to its schema and the type of each member", () => {
  const events = [
    named,
    ...readdirSync("test/fixtures/events").map((file) => fixture(file.replace(/\.json$/, ""))),
  ];
  const all = [...members()];
  const hashable = all.filter(([, { form }]) => form === "text").map(([path]) => path);
  const removable = all.filter(([, { isOptional }]) => isOptional).map(([path]) => path);
  for (const event of events) {
    const own = (path: string): boolean =>
      (path.split(".")[0] ?? "") in event.data && !path.startsWith("problems");
    const check = (options: Partial<RedactionOptions>): void => {
      const { success, error } = eventData[kindOf(event)].safeParse(redact(event, options).data);
      assert.ok(success, `${JSON.stringify(options)}: ${error?.message}`);
    };
    for (const path of hashable.filter(own)) check({ hash: [path] });
    for (const path of removable.filter(own)) check({ remove: [path] });
  }
});

test("a value with characters of regular expressions, and one that begins another, are found", () => {
  const event = {
    ...sampleEvent(1),
    data: {
      request: {
        requesterName: "C.O\\a+b(c)|$",
        dispositionMessage: "by C.O\\a+b(c)|$ and a+b(c)|",
      },
      attributes: [{ name: "x", value: "a+b(c)|$ CxO" }],
      problems: [],
    },
  };
  const { data } = redact(event, { hash: ["request.requesterName"] });
  const hash = hashOf("C.O\\a+b(c)|$");
  assert.equal(Object(data["request"]).dispositionMessage, `by ${hash} and ${hash}`);
  assert.deepEqual(data["attributes"], [{ name: "x", value: `${hash} CxO` }]);
});

test("a value is found beside letters of any length in lower case, and beside characters that are no letters", () => {
  const event = {
    ...sampleEvent(1),
    data: {
      request: { requesterName: "Işık", dispositionMessage: "İİ IŞIK\u{1F600}ışık, Işık" },
      attributes: [{ name: "x", value: "\u{1F600}Işık\u{1F600} Işıklar" }],
      problems: [],
    },
  };
  const { data } = redact(event, { remove: ["request.requesterName"] });
  assert.deepEqual(data["request"], { dispositionMessage: "İİ IŞIK\u{1F600}ışık, [redacted]" });
  assert.deepEqual(data["attributes"], [
    { name: "x", value: "\u{1F600}[redacted]\u{1F600} Işıklar" },
  ]);
});

/** An event of a requester, with texts that may name it. */
function texts(requesterName: string, dispositionMessage: string): CertwireEvent {
  const request = { requesterName, dispositionMessage };
  return { ...sampleEvent(1), data: { request, problems: [] } };
}

test("a value is found in each form in which a text may hold it", () => {
  const cases: [requester: string, text: string, rest: string][] = [
    ["CORP\\Jos\u00e9", "by Jose\u0301.", "by [redacted]."],
    ["CORP\\Jose\u0301", "by JOS\u00c9.", "by [redacted]."],
    ["CORP\\\u0391\u039b\u0399\u03a3", "\u0391\u039b\u0399\u03a3.x", "[redacted].x"],
    ["CORP\\alice", "CN=CORP\\\\alice", "CN=[redacted]"],
    ["alice@corp.example", "by CORP\\alice", "by CORP\\[redacted]"],
    ["Smith, Alice", "CN=Smith\\, Alice,O=x", "CN=[redacted],O=x"],
    ['Alice "Al" Smith', 'CN="Alice ""Al"" Smith"', 'CN="[redacted]"'],
    ["Alice\r\nAl", "Al, Alice, Alicia", "[redacted], [redacted], Alicia"],
    ["CN=Smith\\, Alice,1.2.3.4=#0c0161,O=x", "Smith, Alice", "[redacted]"],
  ];
  for (const [requester, text, rest] of cases) {
    const { data } = redact(texts(requester, text), { remove: ["request.requesterName"] });
    assert.deepEqual(data["request"], { dispositionMessage: rest }, requester);
  }
});

test("a value in hex in a distinguished name is left out, since a name can be read in it", () => {
  const hex = Buffer.from("\x0c\x05alice").toString("hex");
  const subject = { distinguishedName: `CN=x,1.2.840.113549.1.9.2=#${hex},O=y` };
  const event = { ...sampleEvent(1), data: { certificate: { subject }, problems: [] } };
  const { data } = redact(event, { remove: ["request.requesterName"] });
  const { distinguishedName } = Object(data["certificate"]).subject;
  assert.equal(distinguishedName, "CN=x,1.2.840.113549.1.9.2=[redacted],O=y");
});

test("each member that stands for another one is a member of the schemas and can be redacted as that one", () => {
  for (const path of members().keys()) {
    for (const other of repetitionsOf(path)) {
      const member = members().get(other);
      assert.ok(member, `${other}, a repetition of ${path}`);
      assert.ok(member.isOptional || member.form === "text", other);
    }
  }
});

test("whoever removes an object removes what stands for its parts", () => {
  const { data } = redact(named, { remove: ["certificate"] });
  assert.ok(!("certificate" in data));
  const { requested } = data as { requested: { subject?: object; sid: string } };
  assert.equal(requested.subject, undefined);
  assert.equal(requested.sid, "[redacted]");
  assert.equal(Object(data["request"]).commonName, undefined);
  assert.deepEqual(Object(data["ca"]).name, "CA 1");
});

test("the attributes are removed from both places in which a request shows them", () => {
  const { data } = redact(named, { remove: ["attributes"] });
  assert.ok(!("attributes" in data) && !("requestAttributes" in Object(data["request"])));
  const other = redact(named, { remove: ["request.requestAttributes"] });
  assert.ok(!("attributes" in other.data));
});

test("stricter options than before hold for an event that was redacted already", () => {
  const once = redact(named, { hash: ["request.requesterName"] });
  const stricter = { remove: ["request.requesterName", "request.dispositionMessage"] };
  const twice = redact(once, stricter);
  const { request } = twice.data as { request: object };
  assert.ok(!("requesterName" in request) && !("dispositionMessage" in request));
  assert.ok(
    !JSON.stringify(twice).includes(hashOf("CORP\\alice")),
    "the hash names an account too",
  );
  assert.deepEqual(redact(twice, stricter), twice);
  const found = (twice.data["problems"] as { property: string; detail?: string }[]).filter(
    ({ property }) => property === "request.requesterName",
  );
  assert.deepEqual(
    found.map(({ detail }) => detail),
    ["removed"],
  );
  const hashed = redact(once, { hash: ["request.dispositionMessage"] });
  assert.match(Object(hashed.data["request"]).dispositionMessage, /^[0-9a-f]{64}$/);
});

test("thousands of names that repeat each other take no longer than their text", () => {
  const names = Array.from({ length: 4000 }, (_, at) => `www.host${at}.${"a.".repeat(at % 40)}b`);
  const event = {
    ...sampleEvent(1),
    data: {
      certificate: { subjectAlternativeNames: { dns: names } },
      request: { dispositionMessage: `${names.join("&")} ${"a.".repeat(100_000)}` },
      problems: [],
    },
  };
  const { data } = redact(event, { remove: ["certificate.subjectAlternativeNames"] });
  const { dispositionMessage } = Object(data["request"]);
  assert.ok(dispositionMessage.startsWith(names.map(() => "[redacted]").join("&")));
  assert.ok(dispositionMessage.endsWith(` ${"a.".repeat(100_000)}`));
});
