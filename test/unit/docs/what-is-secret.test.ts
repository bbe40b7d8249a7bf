import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  type PropertyTable,
  requestProperties,
  revocationProperties,
} from "../../../src/events/properties.ts";
import { secretRequestAttributes } from "../../../src/x509/secret-attributes.ts";
import { isSecretName, secretWords } from "../../../src/x509/secret-names.ts";

const page = readFileSync(join("docs", "reference", "what-is-secret.md"), "utf8");

/** The rows of the tables of a section, without their heads. */
function rows(heading: string): string[][] {
  const [, section = ""] = page.split(`\n${heading}\n`);
  const [own = ""] = section.split(/\n##+ /);
  const lines = own.split("\n").filter((line) => line.startsWith("| "));
  return lines.slice(1).map((line) => line.slice(2, -2).split(" | "));
}

const namesIn = (cell = "") => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
const shown = rows("## Shown").flatMap(([names]) => namesIn(names));
const hidden = rows("## Never shown")
  .filter(([value]) => value?.startsWith("`"))
  .flatMap(([names]) => namesIn(names));

const tables: PropertyTable[] = [
  requestProperties,
  revocationProperties,
  certificateProperties,
  caProperties,
  caCertificateProperties,
];
const properties = tables.flatMap((table) => Object.entries(table));

test("every property of an event is on the page once, and nothing else is", () => {
  const expected = new Set(["RawCertificate", ...properties.map(([name]) => name)]);
  const listed = [...shown, ...hidden].filter((name) => !/^(Raw)?ArchivedKey$/.test(name));
  assert.deepEqual(listed.toSorted(), [...expected].toSorted());
});

test("the properties that the page calls secret are never shown whole, and no others", () => {
  const digests = properties.filter(([, { type }]) => type === "digest").map(([name]) => name);
  assert.deepEqual(hidden.toSorted(), ["ArchivedKey", "RawArchivedKey", ...digests].toSorted());
});

test("every property that the exit module records is on the page, and no archived key is", () => {
  const source = readFileSync(join("addon", "collect", "property_table.cc"), "utf8");
  const recorded = [...source.matchAll(/\(u"(\w+)"/g)].map(([, name = ""]) => name);
  assert.ok(recorded.length > 90);
  const known = new Set([...shown, ...hidden]);
  assert.deepEqual(
    recorded.filter((name) => !known.has(name)),
    [],
  );
  assert.equal(
    recorded.some((name) => name.endsWith("ArchivedKey")),
    false,
  );
});

test("no property that is shown has the name of a secret", () => {
  assert.deepEqual(shown.filter(isSecretName), []);
});

test("the page lists the words of secret names", () => {
  const [, list = ""] = /ends with one of these words: ([^.]+)\./.exec(page) ?? [];
  assert.deepEqual(namesIn(list), secretWords);
});

test("the exit module blanks attributes by the same words", () => {
  const source = readFileSync(join("addon", "collect", "redaction.cc"), "utf8");
  const [, list = ""] = /kSecretWords\[\] = \{([^}]*)\}/.exec(source) ?? [];
  const words = [...list.matchAll(/u"(\w+)"/g)].map(([, word]) => word);
  assert.deepEqual(words, secretWords);
});

test("the exit module records no more than a digest of what nobody needs whole", () => {
  const source = readFileSync(join("addon", "collect", "property_table.cc"), "utf8");
  const digests = [...source.matchAll(/\(u"(\w+)", \w+, Secrecy::kDigest\)/g)];
  // The service may publish a request without its secrets, which needs all of it.
  const expected = properties.filter(
    ([name, { type }]) => type === "digest" && name !== "RawRequest",
  );
  assert.deepEqual(
    digests.map(([, name]) => name),
    expected.map(([name]) => name),
  );
});

test("the page lists the secrets of a request", () => {
  const listed = rows("### In a request").map(([oid = "", when]) => [oid, when] as const);
  const expected = [...secretRequestAttributes].map(
    ([oid, when]) => [oid, when === "always" ? "always" : "with one of these words in it"] as const,
  );
  assert.deepEqual(new Map(listed), new Map(expected));
  assert.equal(listed.length, expected.length);
});
