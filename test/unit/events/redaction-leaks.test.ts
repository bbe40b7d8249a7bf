import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import { Redactor } from "../../../src/events/redaction/redactor.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import { SimulatedCa } from "../../../src/simulate/simulated-ca.ts";
import { attributesOf, dataOf } from "../../../src/sinks/message-content.ts";
import { der, oid } from "../../support/build-der.ts";
import { clientInfo, pkcs10, utf8 } from "../../support/build-request.ts";
import { certificateFixtures, eventContext, eventOf, fixture } from "../../support/exit-records.ts";
import { recordOf } from "../../support/simulated-records.ts";

const key = "0123456789abcdef0123456789abcdef";

/** Members by which people and machines are known. */
const identifying = [
  "request.requesterName",
  "request.callerName",
  "certificate.subject.distinguishedName",
  "certificate.subject.commonName",
  "certificate.subject.emailAddress",
  "certificate.subjectAlternativeNames.dns",
  "certificate.subjectAlternativeNames.upn",
  "certificate.subjectAlternativeNames.email",
  "certificate.subjectAlternativeNames.uri",
  "certificate.sid",
  "requested.subject.commonName",
  "requested.subjectAlternativeNames.dns",
  "requested.clientInfo.machineName",
  "requested.clientInfo.userName",
  "attributes.value",
] as const;

/** Objects that hold some of them. */
const objects = [
  "certificate",
  "certificate.subject",
  "certificate.subjectAlternativeNames",
  "requested",
  "requested.clientInfo",
  "certificateProperties",
  "attributes",
] as const;

/** Its object always has a distinguished name, so that only the object can be removed. */
const removals: readonly string[] = [...identifying, ...objects].filter(
  (path) => path !== "certificate.subject.distinguishedName",
);

const requestFixtures = readdirSync(join("test", "fixtures", "certificates"))
  .filter((name) => /request|pkcs7|signers/.test(name))
  .map((name) => name.replace(/\.pem$/, ""));

/** A request with what the client says about itself, a name that is escaped as text, and one that is in hex there. */
const requestOfClient = pkcs10(
  [clientInfo(9, "web01.contoso.com", "CONTOSO\\alice", "certreq.exe")],
  der(
    0x30,
    part("2.5.4.3", "Smith, Alice"),
    part("2.5.4.3", "CONTOSO\\alice"),
    part("1.2.840.113549.1.9.2", "CONTOSO\\alice"),
  ),
);

function part(type: string, value: string): Buffer {
  return der(0x31, der(0x30, oid(type), utf8(value)));
}

/** Events of every kind of request, of each fixture, and golden ones, in every form that a sink can ask for. */
function corpus(): CertwireEvent[] {
  const ca = new SimulatedCa({ seed: "leaks", now: () => new Date(Date.UTC(2026, 0, 5)) });
  const simulated = Array.from({ length: 120 }, () => ca.next())
    .filter(({ event }) => event !== exitEvents.crlIssued)
    .map(recordOf);
  const request = { RequestID: 9, RequesterName: "CORP\\web01$", CallerName: "CORP\\web01$" };
  const records = [
    ...simulated,
    ...certificateFixtures.map((name) => ({
      request,
      certificate: { RawCertificate: fixture(name) },
    })),
    ...[...requestFixtures.map(fixture), requestOfClient].map((RawRequest) => ({
      event: 4,
      request: { ...request, RawRequest },
    })),
  ];
  const contexts = [
    eventContext({ detail: "standard" }),
    eventContext({ detail: "full", includeRawRequest: true }),
  ];
  const directory = join("test", "fixtures", "events");
  const golden = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
  return [
    ...contexts.flatMap((context) => records.map((record) => eventOf(record, context))),
    ...golden.map((text) => JSON.parse(text) as CertwireEvent),
  ];
}

const events = corpus();

/** The texts at a path, through lists. */
function textsAt(value: unknown, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => textsAt(each, path));
  const [first, ...rest] = path;
  if (first !== undefined) return textsAt(Object(value)[first], rest);
  return typeof value === "string" ? [value] : [];
}

/** Everything that a consumer can read in a message of either mode: texts, headers, and what base64 and hex hold. */
function readable(event: CertwireEvent): string {
  const outbound = encodeEvent(event);
  const headers = attributesOf(outbound).flat();
  const texts: string[] = [];
  const collect = (_: string, value: unknown): unknown => {
    if (typeof value === "string") texts.push(value);
    return value;
  };
  JSON.parse(outbound.json.toString(), collect);
  JSON.parse(dataOf(outbound).toString(), collect);
  const decoded = texts.flatMap((text) => {
    const bytes = ["base64", "hex"].map((form) => Buffer.from(text, form as "base64" | "hex"));
    return bytes.flatMap((each) => [each.toString("latin1"), each.toString("utf16le")]);
  });
  const hex = texts.flatMap((text) =>
    [...text.matchAll(/#([0-9a-f]+)/gi)].map(([, digits = ""]) =>
      Buffer.from(digits, "hex").toString("latin1"),
    ),
  );
  return [...headers, ...texts, ...decoded, ...hex].join("\n").normalize("NFC").toLowerCase();
}

/** Hashes of a text that anybody can compute, to look for a name among all names. */
function plainHashes(text: string): string[] {
  const inputs = [text, text.toLowerCase()].flatMap((each) => [
    Buffer.from(each),
    Buffer.from(each, "utf16le"),
  ]);
  return inputs.flatMap((input) =>
    ["sha1", "sha256"].map((algorithm) => createHash(algorithm).update(input).digest("hex")),
  );
}

function stands(all: string, value: string): boolean {
  const word = value.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, "u").test(all);
}

/** Checks that no value at the paths of an event can be read in what its sink gets. */
function assertHidden(event: CertwireEvent, hash: string[], remove: string[]): void {
  const redactor = new Redactor({ hash, remove, key });
  const redacted = redactor.redact(event);
  const hidden = [...hash, ...remove]
    .filter((path) => (identifying as readonly string[]).includes(path))
    .flatMap((path) => textsAt(event.data, path.split(".")))
    .filter((value) => /[\p{L}\p{N}]/u.test(value))
    .map((value) => value.normalize("NFC").toLowerCase());
  for (const shown of [redacted, shrinkEvent(redacted, 3000), redactor.redact(redacted)]) {
    const all = readable(shown);
    for (const value of hidden) {
      const place = `${value} in ${event.type}, hash ${hash.join()}, remove ${remove.join()}`;
      assert.ok(!stands(all, value), place);
      assert.ok(!plainHashes(value).some((each) => all.includes(each)), `a hash of ${place}`);
    }
  }
}

test("no redacted value can be read anywhere in an event, its headers, its binary values or by a plain hash", () => {
  for (const path of identifying) {
    for (const event of someWith(path)) {
      assertHidden(event, [path], []);
      if (removals.includes(path)) assertHidden(event, [], [path]);
    }
  }
});

/** Events that have a text at a path, spread over the corpus. */
function someWith(path: string): CertwireEvent[] {
  const all = events.filter(({ data }) => textsAt(data, path.split(".")).length > 0);
  assert.ok(all.length > 0, path);
  return all.filter((_, at) => at % Math.ceil(all.length / 8) === 0);
}

test("nor with several members that are hashed or removed at once", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...events),
      fc.subarray<string>([...identifying]),
      fc.subarray([...removals]),
      (event, hash, remove) => {
        assertHidden(
          event,
          hash.filter((path) => !remove.includes(path)),
          remove,
        );
      },
    ),
    { numRuns: 150 },
  );
});
