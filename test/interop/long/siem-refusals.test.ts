import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { openSearch } from "../../../examples/siem/opensearch.ts";
import { type OpenSearchSettings, parseSettings } from "../../../examples/siem/settings.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { OpenSearchNode } from "../support/opensearch-node.ts";

const [golden] = readGoldenEvents();
assert.ok(golden);
const { event } = golden;
const onlyTwoFields = { "index.mapping.total_fields.limit": 2 };
const fieldOfType = (name: string, type: string) => ({ properties: { [name]: { type } } });

suite("what a real OpenSearch says of a document, and whether the recipe for SIEMs refuses the event", () => {
  let node: OpenSearchNode;
  before(async () => {
    node = await OpenSearchNode.start();
  });
  after(() => node?.stop());

  /** What becomes of one event. */
  async function outcomeOf(target: string, document: OpenSearchSettings["document"], sent = event) {
    const rabbitmq = { url: { env: "AMQP_URL" }, queue: "siem" };
    const settings = { rabbitmq, opensearch: { url: node.url, target, document } };
    const { opensearch } = parseSettings(settings, "test");
    assert.ok(opensearch);
    const client = openSearch(opensearch);
    const [outcome] = await client.send([client.encode(sent)]);
    assert.ok(outcome);
    return outcome;
  }

  const put = (path: string, body: object) => node.ask(path, { method: "PUT", body });

  /** Changes settings of the cluster for one test. */
  async function setCluster(t: TestContext, name: string, value: unknown): Promise<void> {
    const set = (to: unknown) => put("/_cluster/settings", { persistent: { [name]: to } });
    t.after(() => set(null));
    await set(value);
  }

  const documents = [
    ["a value of another type", { mappings: fieldOfType("type", "date") }, event],
    ["an object in place of a text", { mappings: fieldOfType("data", "keyword") }, event],
    ["a field that is not allowed", { mappings: { dynamic: "strict" } }, event],
    [
      "a term that is too long",
      { mappings: { dynamic: false, ...fieldOfType("subject", "keyword") } },
      { ...event, subject: "x".repeat(40_000) },
    ],
  ] as const;
  for (const [at, [what, index, sent]] of documents.entries()) {
    test(`an event with ${what} is refused`, async () => {
      await put(`/document-${at}`, index);
      const outcome = await outcomeOf(`document-${at}`, "event", sent);
      assert.equal(outcome.kind, "refused", JSON.stringify(outcome));
    });
  }

  /** Sent again, with an alarm, for this reason. */
  async function assertWaits(target: string, reason: RegExp, document: "ecs" | "event" = "ecs") {
    const outcome = await outcomeOf(target, document);
    assert.ok(outcome.kind === "later" && outcome.needsPerson, JSON.stringify(outcome));
    assert.match(outcome.reason, reason);
  }

  const indexes = [
    ["is blocked", { settings: { "index.blocks.write": true } }, /cluster_block/],
    ["has no room for more fields", { settings: onlyTwoFields }, /Limit of total fields/],
    ["is too shallow", { settings: { "index.mapping.depth.limit": 1 } }, /depth of the field/],
    ["has a pipeline that is missing", { settings: { "index.default_pipeline": "p" } }, /pipeline/],
    ["wants a routing", { mappings: { _routing: { required: true } } }, /routing_missing/],
  ] as const;
  for (const [at, [what, index, reason]] of indexes.entries()) {
    test(`an event for an index that ${what} waits for a person`, async () => {
      await put(`/index-${at}`, index);
      await assertWaits(`index-${at}`, reason);
    });
  }

  test("an event for an index that is closed waits for a person, and is accepted once it is open", async () => {
    await put("/closed", {});
    await node.ask("/closed/_close", { method: "POST" });
    await assertWaits("closed", /index_closed_exception/);
    await node.ask("/closed/_open?wait_for_active_shards=1", { method: "POST" });
    assert.deepEqual(await outcomeOf("closed", "ecs"), { kind: "accepted" });
    assert.deepEqual(await outcomeOf("closed", "ecs"), { kind: "accepted" }, "it is there already");
    await node.ask("/closed/_refresh", { method: "POST" });
    assert.equal(await node.count("closed"), 1);
  });

  test("an event for an alias without a write index waits for a person", async () => {
    for (const name of ["many-1", "many-2"]) await put(`/${name}`, { aliases: { many: {} } });
    await assertWaits("many", /no write index/);
  });

  test("an event for a name that no index can have waits for a person", async () => {
    await assertWaits("UPPER", /invalid_index_name/);
  });

  test("a whole event for a data stream, which has no @timestamp, waits for a person", async () => {
    await put("/_index_template/stream", { index_patterns: ["stream*"], data_stream: {} });
    await assertWaits("stream", /@timestamp/, "event");
    assert.deepEqual(await outcomeOf("stream", "ecs"), { kind: "accepted" });
  });

  test("an event for an index that may not be created waits for a person", async (t) => {
    await setCluster(t, "action.auto_create_index", "false");
    await assertWaits("missing", /index_not_found/);
  });

  test("an event for a cluster that has no room for more shards waits for a person", async (t) => {
    await setCluster(t, "cluster.max_shards_per_node", 1);
    await assertWaits("too-many", /maximum shards open/);
  });
});
