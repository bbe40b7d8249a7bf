import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { readGoldenEvents } from "../../test/support/golden-events.ts";
import { HecServer } from "../../test/support/hec-server.ts";
import { until } from "../../test/support/until.ts";
import { toSplunkCim } from "./certwire.ts";
import { parseSettings, type SplunkSettings } from "./settings.ts";
import { type AckWaiting, splunk } from "./splunk.ts";

const events = readGoldenEvents().map(({ event }) => event);
const [first] = events;
assert.ok(first);
const token = "c4d9b0a2-7d3e-4d0b-9a52-1f6f0d0f7a11";
process.env["SIEM_TEST_TOKEN"] = token;

async function startServer(t: TestContext, acknowledgement = false): Promise<HecServer> {
  const server = await new HecServer({ token, indexes: ["adcs"], acknowledgement }).start();
  t.after(() => server.stop());
  return server;
}

function clientOf(
  { url }: HecServer,
  more: Partial<SplunkSettings> = {},
  waiting: AckWaiting = {},
) {
  const kafka = { brokers: ["localhost:9092"], topic: "certificates" };
  const collector = { url, token: { env: "SIEM_TEST_TOKEN" }, index: "adcs", ...more };
  const settings = parseSettings({ kafka, splunk: collector }, "test");
  assert.ok(settings.splunk);
  return splunk(settings.splunk, waiting);
}

test("every event has the published format of the collector, and the fields of CIM", async (t) => {
  const server = await startServer(t);
  const client = clientOf(server);
  const outcomes = await client.send(events.map((event) => client.encode(event)));
  assert.deepEqual(server.violations, []);
  assert.deepEqual(
    outcomes,
    events.map(() => ({ kind: "accepted" })),
  );
  assert.equal(server.events.length, events.length);
  for (const [at, event] of events.entries()) {
    const { _time, ...fields } = toSplunkCim(event);
    const { time, host, source, sourcetype, index, event: sent } = server.events[at] ?? {};
    assert.equal(time, Date.parse(event.time) / 1000);
    assert.equal(host, fields.dvc);
    assert.deepEqual([source, sourcetype, index], ["certwire", "certwire", "adcs"]);
    assert.deepEqual(sent, { id: event.id, ...fields });
  }
});

/** HTTP status, code and text as Splunk publishes them. */
const codes = [
  [403, 1, "Token disabled", "person"],
  [401, 2, "Token is required", "person"],
  [401, 3, "Invalid authorization", "person"],
  [403, 4, "Invalid token", "person"],
  [400, 5, "No data", "person"],
  [400, 6, "Invalid data format", "divide"],
  [400, 7, "Incorrect index", "person"],
  [500, 8, "Internal server error", "later"],
  [503, 9, "Server is busy", "later"],
  [400, 10, "Data channel is missing", "person"],
  [400, 11, "Invalid data channel", "person"],
  [400, 12, "Event field is required", "divide"],
  [400, 13, "Event field cannot be blank", "divide"],
  [400, 14, "ACK is disabled", "person"],
  [400, 15, "Error in handling indexed fields", "divide"],
  [400, 16, "Query string authorization is not enabled", "person"],
  [503, 18, "HEC is unhealthy, queues are full", "later"],
  [503, 23, "Server is shutting down", "later"],
  [200, 17, "HEC is healthy", "person"],
] as const;

/** Answers that may come from a proxy. */
const withoutCode = [
  [429, undefined, "Too many requests", "later"],
  [502, undefined, "Bad gateway", "later"],
  [413, undefined, "Request entity too large", "divide"],
  [404, undefined, "Not found", "person"],
  [200, undefined, "Welcome", "person"],
] as const;

const wordsFor = {
  later: "is sent again",
  person: "is sent again and needs a person",
  divide: "is divided",
};

for (const [status, code, text, expected] of [...codes, ...withoutCode]) {
  test(`a request with ${status}, code ${code ?? "none"}, ${text}, ${wordsFor[expected]}`, async (t) => {
    const server = await startServer(t);
    server.faults.push({ status, body: { text, code, "invalid-event-number": 1 } });
    const client = clientOf(server);
    const outcomes = await client.send(events.slice(0, 3).map((event) => client.encode(event)));
    assert.equal(outcomes.length, 3);
    for (const outcome of outcomes) {
      assert.equal(outcome.kind, expected === "person" ? "later" : expected);
      assert.ok("reason" in outcome && outcome.reason.includes(text));
      if (outcome.kind === "later") assert.equal(outcome.needsPerson, expected === "person");
    }
  });
}

test("an index that the token may not write into needs a person", async (t) => {
  const client = clientOf(await startServer(t), { index: "other" });
  const [outcome] = await client.send([client.encode(first)]);
  assert.ok(outcome?.kind === "later" && outcome.needsPerson);
  assert.match(outcome.reason, /Incorrect index/);
});

test("with acknowledgement events are accepted only once they are indexed", async (t) => {
  const server = await startServer(t, true);
  server.indexesAtOnce = false;
  const client = clientOf(server, { acknowledgement: true }, { everyMs: 1 });
  let isSettled = false;
  const sent = client.send([client.encode(first)]).finally(() => {
    isSettled = true;
  });
  await until(() => server.requests > 3, "it is asked for the acknowledgement again and again");
  assert.equal(isSettled, false);
  server.faults.push("reset", { status: 503, body: { text: "Server is busy", code: 9 } });
  server.index();
  assert.deepEqual(await sent, [{ kind: "accepted" }]);
  assert.deepEqual(server.violations, []);
});

test("events that are not indexed in time are sent again", async (t) => {
  const server = await startServer(t, true);
  server.indexesAtOnce = false;
  const waiting = { everyMs: 1, withinMs: 20 };
  const client = clientOf(server, { acknowledgement: true }, waiting);
  const [outcome] = await client.send([client.encode(first)]);
  assert.ok(outcome?.kind === "later" && !outcome.needsPerson);
  assert.match(outcome.reason, /not indexed within 20 ms/);
});

test("a token without acknowledgement is named when the settings want it", async (t) => {
  const client = clientOf(await startServer(t), { acknowledgement: true });
  const [outcome] = await client.send([client.encode(first)]);
  assert.ok(outcome?.kind === "later" && outcome.needsPerson);
  assert.match(outcome.reason, /no indexer acknowledgement/);
});

test("the wait for acknowledgement ends when nobody waits for the answer", async (t) => {
  const server = await startServer(t, true);
  server.indexesAtOnce = false;
  const cut = new AbortController();
  const client = clientOf(
    server,
    { acknowledgement: true },
    { everyMs: 600_000, signal: cut.signal },
  );
  const sent = assert.rejects(client.send([client.encode(first)]), { name: "AbortError" });
  await until(() => server.events.length > 0, "it is sent");
  cut.abort();
  await sent;
});
