import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { sampleEvent } from "../../support/sample-events.ts";

/** A configuration with one sink, whose own keys stand from line 4 onward. */
function withKeys(keys: string): string {
  const head = '{\n"journal": { "directory": "j" }, "state": { "directory": "s" },\n"sinks": [';
  return `${head}{ "name": "a", "url": "stdout:",\n${keys} }]\n}`;
}

/** The problems of a configuration as `line:column: path: message`, and the first hint. */
function problemsOf(keys: string): { problems: string[]; hint: string } {
  try {
    parseConfig("certwire.jsonc", withKeys(keys));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    const problems = error.diagnostics.map(
      ({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`,
    );
    return { problems, hint: error.diagnostics[0]?.hint ?? "" };
  }
  throw new assert.AssertionError({ message: "the configuration was accepted" });
}

test("conditions become the filter of their sink", () => {
  const keys =
    '"only": [{ "kind": ["crl.*", "CERTIFICATE.revoked"] }], "except": [{ "ca": ["x"] }]';
  const [sink] = parseConfig("certwire.jsonc", withKeys(keys)).sinks;
  const wants = (kind: string) =>
    sink?.filter.wants({ ...sampleEvent(1), type: `io.certwire.${kind}.v1` });
  assert.deepEqual(["crl.issued", "certificate.revoked", "certificate.issued"].map(wants), [
    true,
    true,
    false,
  ]);
});

test("a condition on a kind that does not exist is reported at the pattern", () => {
  const { problems, hint } = problemsOf('"only": [{ "kind": ["crl.*", "certificate.isued"] }]');
  assert.deepEqual(problems, ["4:30: sinks[0].only[0].kind[1]: matches no kind of event"]);
  assert.equal(hint, 'Did you mean "certificate.issued"?');
  assert.match(problemsOf('"except": [{ "kind": ["revoked*"] }]').hint, /^Kinds are certificate\./);
});

test("conditions that are empty, have an unknown key or a text for a list are reported at their place", () => {
  const keys = [
    '"only": [],',
    '"except": [{},',
    '{ "requestor": ["x"] },',
    '{ "ca": [] },',
    '{ "kind": [""] },',
    '{ "template": "WebServer" }]',
  ];
  assert.deepEqual(problemsOf(keys.join("\n")).problems, [
    "4:9: sinks[0].only: needs at least one entry",
    "5:12: sinks[0].except[0]: is empty: give kind, template, requester or ca",
    '6:3: sinks[0].except[1]: unknown key "requestor"',
    "7:9: sinks[0].except[2].ca: needs at least one entry",
    "8:12: sinks[0].except[3].kind[0]: must not be empty",
    "9:15: sinks[0].except[4].template: must be a list in [ ]",
  ]);
});
