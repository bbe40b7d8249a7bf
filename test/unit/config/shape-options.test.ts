import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.ts";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { keyedHash } from "../../../src/events/redaction/redactor.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
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

test("a name with a backslash that is not doubled is reported, where it is an escape too", () => {
  assert.deepEqual(problemsOf(String.raw`"only": [{ "requester": ["CORP\\al", "CORP\bob"] }]`), {
    problems: ["4:38: sinks[0].only[0].requester[1]: has a control character"],
    hint: String.raw`Write each backslash as \\: "CORP\\bob".`,
  });
  const { hint } = problemsOf(String.raw`"except": [{ "requester": ["CORP\svc-*"] }]`);
  assert.match(hint, /each backslash as/);
});

const key = "0123456789abcdef0123456789abcdef";
process.env["CERTWIRE_TEST_HASH_KEY"] = key;
process.env["CERTWIRE_TEST_SHORT_KEY"] = key.slice(1);
after(() => {
  delete process.env["CERTWIRE_TEST_HASH_KEY"];
  delete process.env["CERTWIRE_TEST_SHORT_KEY"];
});

test("a redaction hashes with the key that its reference names", (context) => {
  const file = join(temporaryDirectory(context), "certwire.json");
  const hashSecret = '{ "environment": "CERTWIRE_TEST_HASH_KEY" }';
  const redact = `{ "hash": ["request.requesterName"], "hashSecret": ${hashSecret} }`;
  writeFileSync(file, withKeys(`"redact": ${redact}`));
  const [sink] = loadConfig(file).sinks;
  const event = { ...sampleEvent(1), data: { request: { requesterName: "CORP\\Alice" } } };
  const { data } = sink?.redactor?.redact(event) ?? event;
  assert.deepEqual(data["request"], { requesterName: keyedHash(key, "corp\\alice") });
});

test("paths that no event has, or that cannot be redacted so, are reported at their place", () => {
  const paths = [
    '"requests.requesterName",',
    '"data.request.requesterName",',
    '"request.requestId",',
    '"ca.id",',
    '"certificate.subject.distinguishedName",',
    '"ca"',
  ];
  assert.deepEqual(problemsOf(`"redact": { "remove": [\n${paths.join("\n")}] }`), {
    problems: [
      "5:1: sinks[0].redact.remove[0]: is not a member of an event",
      "6:1: sinks[0].redact.remove[1]: is not a member of an event",
      "7:1: sinks[0].redact.remove[2]: cannot be redacted",
      "8:1: sinks[0].redact.remove[3]: cannot be redacted",
      "9:1: sinks[0].redact.remove[4]: cannot be removed: its object always has it",
      "10:1: sinks[0].redact.remove[5]: cannot be removed: its object always has it",
    ],
    hint: 'Did you mean "request.requesterName"?',
  });
  const hash =
    '"hash": ["certificate.subject", "certificate.fingerprints.sha1", "certificate.der"]';
  assert.deepEqual(
    problemsOf(
      `"redact": { ${hash}, "hashSecret": { "environment": "CERTWIRE_TEST_HASH_KEY" } }`,
    ).problems.map((problem) => problem.replace(/^.*?: /, "")),
    [0, 1, 2].map((index) => `sinks[0].redact.hash[${index}]: cannot be hashed`),
  );
});

test("a hash needs a key by reference, of 32 characters or more, and no key is shown", () => {
  const hash = '"hash": ["request.requesterName"]';
  const problemsWith = (rest: string): string[] => problemsOf(`"redact": { ${rest} }`).problems;
  assert.deepEqual(problemsWith(""), ["4:11: sinks[0].redact: is empty: give remove or hash"]);
  assert.deepEqual(problemsWith(hash), ["4:21: sinks[0].redact.hash: needs a hashSecret"]);
  const environment = (name: string) => `"hashSecret": { "environment": "${name}" }`;
  assert.deepEqual(problemsWith(`${hash}, ${environment("CERTWIRE_NONE")}`), [
    "4:79: sinks[0].redact.hashSecret.environment: the environment variable is not set",
  ]);
  assert.deepEqual(problemsWith(`${hash}, ${environment("CERTWIRE_TEST_SHORT_KEY")}`), [
    "4:62: sinks[0].redact.hashSecret: has fewer than 32 characters",
  ]);
  const removal = '"remove": ["request.requesterName"]';
  assert.deepEqual(problemsWith(`${removal}, ${environment("CERTWIRE_TEST_HASH_KEY")}`), [
    "4:64: sinks[0].redact.hashSecret: is used by hash only",
  ]);
  assert.deepEqual(problemsWith(`${removal}, ${hash}, ${environment("CERTWIRE_TEST_HASH_KEY")}`), [
    '4:58: sinks[0].redact.hash: "request.requesterName" stands in remove too',
  ]);
  const literal = withKeys(`"redact": { ${hash}, "hashSecret": "hunter2 hunter2 hunter2" }`);
  assert.throws(
    () => parseConfig("certwire.jsonc", literal),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.diagnostics[0]?.message ?? "", /a reference, not the secret itself/);
      return !JSON.stringify(error.diagnostics).includes("hunter2");
    },
  );
});

/** A configuration with one sink of this URL, whose own keys stand from line 4 onward. */
function sinkOn(url: string, keys: string): string {
  return withKeys(keys).replace("stdout:", url);
}

test("routes become the router of their sink", () => {
  const routes = [
    '{ "kind": ["crl.*"], "topic": "crls" }',
    '{ "template": ["WebServer"], "topic": "t.{template}" }',
  ];
  const text = sinkOn("kafka://h/all.{ca}", `"routes": [${routes.join()}]`);
  const [sink] = parseConfig("certwire.jsonc", text).sinks;
  const topicOf = (kind: string, data: object) => {
    const event = { ...sampleEvent(1), type: `io.certwire.${kind}.v1`, data: { ...data } };
    return sink?.router?.destinationOf(event, event).topic;
  };
  assert.equal(topicOf("crl.issued", {}), "crls");
  const certificate = { template: { name: "WebServer" } };
  assert.equal(topicOf("certificate.issued", { certificate }), "t.WebServer");
  assert.equal(topicOf("certificate.issued", { ca: { name: "A B" } }), "all.A_B");
  assert.equal(sink?.destination, "topics all.{ca}, crls, t.{template} on h:9092");
});

test("a route of RabbitMQ keeps what it does not name", () => {
  const routes = '[{ "kind": ["crl.*"], "exchange": "crls" }, { "ca": ["*"], "routingKey": "x" }]';
  const text = sinkOn("amqp://h/?exchange=all", `"routes": ${routes}`);
  const [sink] = parseConfig("certwire.jsonc", text).sinks;
  const crl = { ...sampleEvent(1), type: "io.certwire.crl.issued.v1" };
  const ofCa = { ...sampleEvent(1), data: { ca: { name: "A" } } };
  assert.deepEqual(
    [crl, ofCa, sampleEvent(1)].map((event) => sink?.router?.destinationOf(event, event)),
    [
      { exchange: "crls", routingKey: "crl.issued" },
      { exchange: "all", routingKey: "x" },
      { exchange: "all", routingKey: "certificate.issued" },
    ],
  );
});

function routeProblems(url: string, keys: string) {
  try {
    parseConfig("certwire.jsonc", sinkOn(url, keys));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.diagnostics.map(({ line, column, path, message }) =>
      [line, column, ` ${path}`, ` ${message}`].join(":"),
    );
  }
  return [];
}

test("routes that go nowhere, select nothing or name no topic are reported at their place", () => {
  const routes = [
    '"routes": [{ "kind": ["crl.*"] },',
    '{ "topic": "crls" },',
    '{ "kind": ["crls"], "topic": "a b" },',
    '{ "kind": ["crl.*"], "topic": "{requester}" },',
    '{ "kind": ["crl.*"], "exchange": "x", "topic": "x" }]',
  ];
  assert.deepEqual(routeProblems("kafka://h/t", routes.join("\n")), [
    '4:12: sinks[0].routes[0]: "topic" is missing',
    "5:1: sinks[0].routes[1]: selects nothing: give kind, template, requester or ca",
    "6:12: sinks[0].routes[2].kind[0]: matches no kind of event",
    "6:30: sinks[0].routes[2].topic: not the name of a topic",
    "7:31: sinks[0].routes[3].topic: {requester} is not a placeholder",
    '8:22: sinks[0].routes[4]: unknown key "exchange"',
  ]);
  assert.deepEqual(routeProblems("amqp://h/", '"routes": [{ "kind": ["crl.*"] }]'), [
    "4:12: sinks[0].routes[0]: goes nowhere else: give exchange or routingKey",
  ]);
  assert.deepEqual(routeProblems("amqp://h/?exchange={ca}", '"topology": {}'), [
    "4:13: sinks[0].topology: needs an exchange without placeholders",
  ]);
});

test("a sink with one destination refuses routes at their place", () => {
  for (const url of ["stdout:", "file:events"]) {
    assert.deepEqual(routeProblems(url, '"routes": [{ "kind": ["crl.*"], "topic": "x" }]'), [
      '4:1: sinks[0]: unknown key "routes"',
    ]);
  }
});

test("without routes the name of a topic may depend on the kind alone", () => {
  const [sink] = parseConfig("certwire.jsonc", sinkOn("kafka://h/all.{kind}", "")).sinks;
  const topics = ["crl.issued", "ca.stopped"].map((kind) => {
    const event = { ...sampleEvent(1), type: `io.certwire.${kind}.v1` };
    return sink?.router?.destinationOf(event, event).topic;
  });
  assert.deepEqual(topics, ["all.crl.issued", "all.ca.stopped"]);
});
