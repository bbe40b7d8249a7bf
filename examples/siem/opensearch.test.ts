import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BulkServer } from "../../test/support/bulk-server.ts";
import { readGoldenEvents } from "../../test/support/golden-events.ts";
import { temporaryDirectory } from "../../test/support/run-cli.ts";
import { toEcs } from "./certwire.ts";
import { openSearch } from "./opensearch.ts";
import { type OpenSearchSettings, parseSettings } from "./settings.ts";

const events = readGoldenEvents().map(({ event }) => event);
const [first] = events;
assert.ok(first);
const target = "certwire-ecs";

async function startServer(t: TestContext): Promise<BulkServer> {
  const server = await new BulkServer(target).start();
  t.after(() => server.stop());
  return server;
}

function clientOf({ url }: BulkServer, more: Partial<OpenSearchSettings> = {}) {
  const rabbitmq = { url: { env: "AMQP_URL" }, queue: "siem" };
  const settings = parseSettings({ rabbitmq, opensearch: { url, target, ...more } }, "test");
  assert.ok(settings.opensearch);
  return openSearch(settings.opensearch);
}

test("each event is a document in ECS under its own id, and stays one when it is sent again", async (t) => {
  const server = await startServer(t);
  const client = clientOf(server);
  const parts = events.map((event) => client.encode(event));
  for (const round of [0, events.length]) {
    const outcomes = await client.send(parts);
    assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(["accepted"]));
    assert.equal(outcomes.length, events.length);
    assert.equal(server.conflicts, round);
  }
  assert.equal(server.documents.size, events.length);
  for (const event of events) {
    assert.deepEqual(server.documents.get(event.id), JSON.parse(JSON.stringify(toEcs(event))));
  }
  assert.deepEqual(server.violations, []);
});

test("the whole event is the document where the settings say so", async (t) => {
  const server = await startServer(t);
  const client = clientOf(server, { document: "event" });
  await client.send([client.encode(first)]);
  assert.deepEqual(server.documents.get(first.id), first);
});

const wordsFor = {
  later: "sent again",
  person: "sent again, and needs a person",
  refused: "refused",
  divide: "divided",
};

/** Status, type, reason, cause. The texts are those of OpenSearch 2.19, and of Elasticsearch where it has others. */
const itemCases = [
  ["later", 429, "rejected_execution_exception", "rejected execution of coordinating operation"],
  ["later", 429, "cluster_block_exception", "index [a] blocked by: [TOO_MANY_REQUESTS/12/...];"],
  ["later", 503, "unavailable_shards_exception", "[a][0] primary shard is not active"],
  ["later", 500, "index_shard_closed_exception", "CurrentState[CLOSED] Closed"],
  ["refused", 400, "mapper_parsing_exception", "failed to parse field [a] of type [date]"],
  ["refused", 400, "document_parsing_exception", "[1:9] failed to parse field [a] of type [date]"],
  ["refused", 400, "strict_dynamic_mapping_exception", "introduction of [a] is not allowed"],
  [
    "refused",
    400,
    "illegal_argument_exception",
    'Document contains at least one immense term in field="a"',
  ],
  ["refused", 413, "too_large", "the document is too large"],
  // A requester chooses the value of a field.
  [
    "refused",
    400,
    "mapper_parsing_exception",
    "failed to parse field [a]. Preview of field's value: 'Limit of total fields'",
    "For input string: 'Limit of total fields'",
  ],
  ["person", 400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded"],
  [
    "person",
    400,
    "document_parsing_exception",
    "[1:9] failed to parse: Limit of total fields [1000] has been exceeded",
    "Limit of total fields [1000] has been exceeded while adding new fields [1]",
  ],
  [
    "person",
    400,
    "mapper_parsing_exception",
    "failed to parse",
    "documents must contain a single-valued timestamp field '@timestamp' of date type",
  ],
  [
    "person",
    400,
    "mapper_parsing_exception",
    "failed to parse",
    "The depth of the field has exceeded the allowed limit of [2].",
  ],
  ["person", 400, "index_closed_exception", "closed"],
  ["person", 400, "illegal_argument_exception", "no write index is defined for alias [a]."],
  ["person", 400, "illegal_argument_exception", "pipeline with id [a] does not exist"],
  ["person", 400, "validation_exception", "this cluster has [1000]/[1000] maximum shards open;"],
  ["person", 400, "invalid_index_name_exception", "Invalid index name [A], must be lowercase"],
  ["person", 400, "routing_missing_exception", "routing is required for [a]/[0]"],
  ["person", 400, "an_exception_of_a_later_version", "something"],
  ["person", 403, "cluster_block_exception", "index [a] blocked by: [FORBIDDEN/8/...];"],
  ["person", 404, "index_not_found_exception", "no such index [a]"],
  ["person", 409, "a_conflict_of_another_kind", "something"],
] as const;

for (const [expected, status, type, reason, cause] of itemCases) {
  const name = [type, reason, cause].filter(Boolean).join(": ");
  test(`a document with ${status} ${name} is ${wordsFor[expected]}`, async (t) => {
    const server = await startServer(t);
    const error = { type, reason, ...(cause && { caused_by: { type: "cause", reason: cause } }) };
    server.itemFault = (id) => (id === first.id ? { status, error } : undefined);
    const client = clientOf(server);
    const outcomes = await client.send(events.slice(0, 2).map((event) => client.encode(event)));
    const kind = expected === "person" ? "later" : expected;
    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind),
      [kind, "accepted"],
    );
    const [outcome] = outcomes;
    assert.ok(outcome && "reason" in outcome);
    assert.equal(outcome.reason, `${status} ${name}`);
    if (outcome.kind === "later") assert.equal(outcome.needsPerson, expected === "person");
  });
}

const requestCases = [
  [429, "later"],
  [503, "later"],
  [502, "later"],
  [413, "divide"],
  [401, "person"],
  [403, "person"],
  [404, "person"],
  [302, "person"],
  [200, "person"],
] as const;

for (const [status, expected] of requestCases) {
  test(`a request with ${status} and no items is ${wordsFor[expected]}`, async (t) => {
    const server = await startServer(t);
    server.faults.push({ status, body: { error: { type: "a proxy", reason: "something" } } });
    const client = clientOf(server);
    const outcomes = await client.send(events.slice(0, 2).map((event) => client.encode(event)));
    assert.equal(outcomes.length, 2);
    for (const outcome of outcomes) {
      assert.equal(outcome.kind, expected === "person" ? "later" : expected);
      if (outcome.kind === "later") assert.equal(outcome.needsPerson, expected === "person");
    }
    assert.equal(server.documents.size, 0);
  });
}

test("a lost connection is named, with the server and without the credentials", async (t) => {
  const server = await startServer(t);
  process.env["SIEM_TEST_PASSWORD"] = "S3cret";
  t.after(() => delete process.env["SIEM_TEST_PASSWORD"]);
  const password = { env: "SIEM_TEST_PASSWORD" };
  const client = clientOf(server, { username: "certwire", password });
  server.faults.push("reset");
  await assert.rejects(client.send([client.encode(first)]), ({ message }: Error) => {
    assert.match(message, /^no answer from http:\/\/127\.0\.0\.1:\d+: .*(ECONNRESET|socket)/);
    assert.doesNotMatch(message, /S3cret/);
    return true;
  });
  await server.stop();
  await assert.rejects(client.send([client.encode(first)]), /ECONNREFUSED/);
});

test("user and password are sent, and an API key that is renewed in its file is used", async (t) => {
  const server = await startServer(t);
  const keyFile = join(temporaryDirectory(t), "key");
  writeFileSync(keyFile, "old\n");
  const byKey = clientOf(server, { apiKey: { file: keyFile } });
  server.authorization = "ApiKey new";
  const [refused] = await byKey.send([byKey.encode(first)]);
  assert.equal(refused?.kind, "later");
  writeFileSync(keyFile, "new\n");
  assert.deepEqual(await byKey.send([byKey.encode(first)]), [{ kind: "accepted" }]);

  writeFileSync(keyFile, "pässword");
  const byUser = clientOf(server, { username: "certwire", password: { file: keyFile } });
  server.authorization = `Basic ${Buffer.from("certwire:pässword").toString("base64")}`;
  assert.deepEqual(await byUser.send([byUser.encode(first)]), [{ kind: "accepted" }]);
});
