import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { toEcs } from "../../../src/mappings/ecs.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { OpenSearchNode } from "../support/opensearch-node.ts";
import { keepResult } from "../support/results.ts";

/** A field of an index. */
interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

const golden = readGoldenEvents();
const events = new Map<string, object>(golden.map(({ event }) => [event.id, event]));
const ecs = new Map<string, object>(golden.map(({ event }) => [event.id, toEcs(event)]));

let node: OpenSearchNode;

before(async () => {
  node = await OpenSearchNode.start();
});

after(() => node.stop());

/** Checks that the documents are all taken and all found, and keeps that as a result. */
async function assertIndexed(
  target: string,
  documents: ReadonlyMap<string, object>,
  software: string,
): Promise<void> {
  assert.deepEqual(await node.create(target, documents), []);
  const count = await node.count(target);
  assert.equal(count, golden.length);
  const passed = { result: `${count} of ${golden.length}` };
  keepResult({ software, version: await node.version(), passed });
}

/** The mapping that an index really has; a data stream has several, all the same here. */
async function mappingOf(target: string): Promise<Mapping> {
  type Answer = Record<string, { mappings: Mapping }>;
  const [index] = Object.values(await node.ask<Answer>(`/${target}/_mapping`));
  return index?.mappings ?? {};
}

/** Fields with a type, by their dotted names. */
function typesIn({ properties = {} }: Mapping, path = ""): [field: string, type: string][] {
  return Object.entries(properties).flatMap(([name, mapping]) => [
    ...(mapping.type === undefined ? [] : [[`${path}${name}`, mapping.type] as [string, string]]),
    ...typesIn(mapping, `${path}${name}.`),
  ]);
}

async function installTemplate(name: string, file: string): Promise<Mapping> {
  const template = JSON.parse(readFileSync(file, "utf8")) as { template: { mappings: Mapping } };
  const path = `/_index_template/${name}`;
  const answer = await node.ask<{ acknowledged: boolean }>(path, { method: "PUT", body: template });
  assert.equal(answer.acknowledged, true);
  return template.template.mappings;
}

test("OpenSearch indexes every golden event with dynamic mapping, and refuses none", async () => {
  await assertIndexed("golden", events, "OpenSearch");
  assert.equal(await node.count("golden", "specversion:1.0"), golden.length);
});

test("OpenSearch takes the index template that is shipped, and indexes every golden event with its types", async () => {
  const file = "config/opensearch-index-template.json";
  const wanted = await installTemplate("certwire-events", file);
  await assertIndexed("certwire-events-golden", events, `OpenSearch, \`${file}\``);

  const types = new Map(typesIn(await mappingOf("certwire-events-golden")));
  assert.deepEqual(types, new Map(typesIn(wanted)));
  const expected = {
    time: "date",
    id: "keyword",
    replayed: "boolean",
    "data.notify.event": "long",
    "data.certificate.notAfter": "date",
    "data.certificate.serialNumber": "keyword",
    "data.certificate.subjectAlternativeNames.dns": "keyword",
    "data.certificate.publicKey.bits": "long",
    "data.certificate.der": "binary",
  };
  for (const [field, type] of Object.entries(expected)) assert.equal(types.get(field), type, field);

  const ofType = (kind: string) =>
    golden.filter(({ event }) => event.type === `io.certwire.${kind}.v1`).length;
  const found = (query: string) => node.count("certwire-events-golden", query);
  assert.equal(await found('type:"io.certwire.crl.issued.v1"'), ofType("crl.issued"));
  assert.equal(await found("time:[2000 TO 2100]"), golden.length);
  assert.ok((await found("data.certificate.publicKey.bits:>=256")) > 0);
});

test("OpenSearch indexes every golden event in ECS with dynamic mapping, and refuses none", async () => {
  await assertIndexed("ecs-dynamic", ecs, "OpenSearch, `toEcs`");
  const types = new Map(typesIn(await mappingOf("ecs-dynamic")));
  assert.equal(types.get("@timestamp"), "date");
  assert.equal(types.get("file.x509.public_key_size"), "long");
});

test("OpenSearch indexes every golden event in ECS with the types of ECS in a data stream, and refuses none", async () => {
  const file = "examples/siem/ecs-index-template.json";
  const wanted = await installTemplate("certwire-ecs", file);
  await assertIndexed("certwire-ecs", ecs, `OpenSearch, \`toEcs\` and \`${file}\``);

  const types = new Map(typesIn(await mappingOf("certwire-ecs")));
  for (const [field, type] of typesIn(wanted)) assert.equal(types.get(field), type, field);
  assert.equal(types.size, typesIn(wanted).length, "no field is without a type of ECS");
  const { data_streams: streams } = await node.ask<{ data_streams: { name: string }[] }>(
    "/_data_stream/certwire-ecs",
  );
  assert.equal(streams[0]?.name, "certwire-ecs");

  const again = await node.create("certwire-ecs", ecs);
  assert.deepEqual(new Set(again.map(({ status }) => status)), new Set([409]));
  assert.equal(await node.count("certwire-ecs"), golden.length);
});
