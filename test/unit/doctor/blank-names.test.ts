import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NameBlanker } from "../../../src/doctor/blank-names.ts";

const nothing = { hosts: [], users: [], cas: [], domains: [] };

function blank(
  text: string,
  known: Partial<typeof nothing | Record<string, string[]>> = {},
): string {
  return new NameBlanker({ ...nothing, ...known }, []).text(text);
}

const forms: [text: string, expected: string][] = [
  [
    "kafkas://broker1.corp.example:9093,b2:9093/topic",
    "kafkas://<host-1>:9093,<host-3>:9093/topic",
  ],
  ["amqps://alice@rabbit.corp.example/vhost?x=1", "amqps://<user-1>@<host-1>/vhost?x=1"],
  ["connect ECONNREFUSED 10.1.2.3:9092", "connect ECONNREFUSED <address-1>:9092"],
  ["from fe80::1:2 to 2001:db8::7", "from <address-1> to <address-2>"],
  ["getaddrinfo ENOTFOUND kafka7", "getaddrinfo ENOTFOUND <host-1>"],
  ["rabbit7:5672 and rabbit7", "<host-1>:5672 and <host-1>"],
  [String.raw`C:\Users\Alice Smith\x.pem`, String.raw`C:\Users\<user-1>\x.pem`],
  ["/home/alice/certwire.jsonc", "/home/<user-1>/certwire.jsonc"],
  [String.raw`the account CORP\svc-kafka$`, String.raw`the account <domain-1>\<user-1>`],
  [String.raw`runs as fabrikam\svc-certwire, not`, String.raw`runs as <domain-1>\<user-1>, not`],
  [String.raw`.\svcwire and svcwire`, String.raw`.\<user-1> and <user-1>`],
  [String.raw`DOM_1\bob, DOM.2\eve`, String.raw`<domain-1>\<user-1>, <domain-2>\<user-2>`],
  [String.raw`fabrikam.example\müller`, String.raw`<domain-1>\<user-1>`],
  [String.raw`C:\x is read by CORP\bob`, String.raw`C:\x is read by <domain-1>\<user-1>`],
  [String.raw`\\fileserver\share\x`, String.raw`\\<host-1>\share\x`],
  ["alice@corp.example", "<user-1>@<host-1>"],
  ["CN=Corp Issuing CA 1, DC=corp, DC=example", "CN=<name-1>, DC=<name-2>, DC=<name-3>"],
  ["not in the cert's altnames: DNS:b1.corp.example", "not in the cert's altnames: DNS:<host-1>"],
];
for (const [text, expected] of forms) {
  test(`${text} becomes ${expected}`, () => assert.equal(blank(text), expected));
}

const harmless = [
  "certwire.jsonc:12:5: sinks[0].tls.caFile: the file cannot be read",
  "localhost:9092 and 127.0.0.1",
  String.raw`NT SERVICE\Certwire`,
  String.raw`HKLM\SYSTEM\CurrentControlSet\Services\Certwire`,
  String.raw`C:\ProgramData\Certwire\journal`,
  String.raw`C:\Program Files\Certwire`,
  String.raw`D:\CA Data\journal: 3 segments`,
  String.raw`.\certwire.jsonc and config\certwire.jsonc`,
  String.raw`prebuilds\win32-x64\certwire.node`,
  String.raw`NT AUTHORITY\LocalService`,
  "2026-11-27T20:20:49Z",
  "docs/reference/errors.md#certwire_sink_config",
  "io.certwire.certificate.issued.v1",
];
for (const text of harmless) {
  test(`${text} stays, since it names nobody`, () => assert.equal(blank(text), text));
}

test("a known name is found in any case, within a compound, and with another host of its domain", () => {
  const known = {
    hosts: ["CA1.corp.example"],
    users: ["alice"],
    cas: ["Corp-CA"],
    domains: ["CORP"],
  };
  const text = "ca1.CORP.example; CA1-log; other.corp.example; Alice; corp-ca; CORP; recorporate";
  assert.equal(
    blank(text, known),
    "<host-1>; <host-2>-log; <host-3>; <user-1>; <ca-1>; <domain-1>; recorporate",
  );
});

test("the same name has the same blank in every text, and texts in JSON are blanked as they are", () => {
  const blanker = new NameBlanker(nothing, []);
  const first = blanker.text("amqp://alice@rabbit7");
  assert.equal(first, "amqp://<user-1>@<host-1>");
  assert.deepEqual(blanker.value({ host: "rabbit7", "rabbit7:1": [{ by: "alice" }], count: 1 }), {
    host: "<host-1>",
    "<host-1>:1": [{ by: "<user-1>" }],
    count: 1,
  });
});

test("secrets go, with names or without", () => {
  for (const keepsNames of [true, false]) {
    const blanker = new NameBlanker(nothing, ["hunter2", "hunter2-long"], keepsNames);
    assert.equal(blanker.text("a hunter2-long b hunter2"), "a <secret> b <secret>");
  }
  assert.equal(new NameBlanker(nothing, [], true).text("rabbit7:5672"), "rabbit7:5672");
});

test("no known host is in any text afterwards, whatever stands around it", () => {
  const host = "ca17.corp.example";
  const around = fc.string({ unit: "binary", maxLength: 20 });
  fc.assert(
    fc.property(around, around, (before, after) => {
      const isWithinWord = /[\p{L}\d<]$/u.test(before) || /^[\p{L}\d]/u.test(after);
      fc.pre(!isWithinWord);
      assert.ok(!blank(`${before}${host}${after}`, { hosts: [host] }).includes(host));
    }),
  );
});
