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

const itemCases = [
  [429, "rejected_execution_exception", "later"],
  [503, "unavailable_shards_exception", "later"],
  [500, "index_shard_closed", "later"],
  [400, "mapper_parsing_exception", "refused"],
  [413, "too_large", "refused"],
  [400, "illegal_argument_exception: Limit of total fields [1000] has been exceeded", "person"],
  [403, "cluster_block_exception", "person"],
  [404, "index_not_found_exception", "person"],
] as const;

for (const [status, reason, expected] of itemCases) {
  test(`a document with ${status} ${reason} is ${wordsFor[expected]}`, async (t) => {
    const server = await startServer(t);
    server.itemFault = (id) =>
      id === first.id ? { status, error: { type: "exception", reason } } : undefined;
    const client = clientOf(server);
    const outcomes = await client.send(events.slice(0, 2).map((event) => client.encode(event)));
    const kind = expected === "person" ? "later" : expected;
    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind),
      [kind, "accepted"],
    );
    const [outcome] = outcomes;
    assert.ok(outcome && "reason" in outcome && outcome.reason.includes(reason));
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
