import assert from "node:assert/strict";
import { test } from "node:test";
import { fullFormats } from "ajv-formats/dist/formats.js";
import fc from "fast-check";
import { isUriReference } from "../../../src/config/uri-reference.ts";
import { scaled } from "../../support/scale.ts";

test("URIs and relative references are accepted", () => {
  for (const text of [
    "urn:example:pki:issuing-ca-1",
    "https://pki.example.com/ca/1?x=y#z",
    "https://user@[2001:db8::1]:8443/ca",
    "ca-1",
    "./a:b",
    "/ca/1",
    "//host/ca",
    "//host:8080",
    "//:",
    "urn:ca:M%C3%BCller",
    "mailto:ca@example.com",
    "a+b.c-d:",
  ]) {
    assert.ok(isUriReference(text), text);
  }
});

test("what no CloudEvents SDK parses is refused", () => {
  for (const text of [
    "Contoso Issuing CA 1",
    "urn:ca:Müller & Söhne",
    "urn:ca:Müller",
    "urn:ca:\0",
    "urn:ca:a\nb",
    "urn:ca:%",
    "urn:ca:%zz",
    "urn:ca:a\\b",
    "urn:ca:<1>",
    'urn:"ca"',
    "urn:ca:{1}",
    "urn:ca:a^b",
    "1ca:x",
    ":x",
    "https://[host",
    "//:a",
    "//@@",
    "https://a:b:1",
    "a#b#c",
  ]) {
    assert.equal(isUriReference(text), false, text);
  }
});

test("the rule agrees with another implementation of RFC 3986", () => {
  const other = fullFormats["uri-reference"] as RegExp;
  const unit = fc.constantFrom(..."aZ1:/?#[]@!$&'()*+,;=%2F.-_~ é\0\\<".split(""));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
      // The other one is stricter about IP literals. It allows a quotation mark, and a colon in the first
      // segment of a relative reference, which the RFC does not.
      fc.pre(!text.includes("["));
      // It allows an @ and a colon in the name of a host; authorities have examples of their own.
      fc.pre(!/^(?:[a-z][a-z\d+.-]*:)?\/\//i.test(text));
      fc.pre(!/^[^/?#]*:/.test(text) || /^[a-z][a-z\d+.-]*:/i.test(text));
      assert.equal(isUriReference(text), other.test(text), JSON.stringify(text));
    }),
    { numRuns: scaled(5000) },
  );
});
