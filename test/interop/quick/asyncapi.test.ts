import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { type AsyncAPIDocumentInterface, fromFile, Parser } from "@asyncapi/parser";
import { InputData, JSONSchemaInput, quicktype } from "quicktype-core";
import { type EventKind, eventKinds } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { runCommand } from "../../integration/support/run-command.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { keepResult, npmVersion } from "../support/results.ts";

/** Severity of a diagnostic that is an error or a warning; 2 and 3 are advice. */
const warning = 1;

let document: AsyncAPIDocumentInterface;
let findings: string[];

before(async () => {
  const path = join(repoRoot, "docs", "reference", "asyncapi.json");
  const parsed = await fromFile(new Parser(), path).parse();
  findings = parsed.diagnostics
    .filter(({ severity }) => severity.valueOf() <= warning)
    .map(({ code, message }) => `${code}: ${message}`);
  assert.ok(parsed.document, findings.join("\n"));
  document = parsed.document;
});

test("AsyncAPI's own parser finds no error and no warning in asyncapi.json, and every message", () => {
  assert.deepEqual(findings, []);
  const ids = document
    .allMessages()
    .all()
    .map((message) => message.id());
  assert.deepEqual(ids.toSorted(), eventKinds.toSorted());
  keepResult({
    software: "`@asyncapi/parser`",
    version: npmVersion("@asyncapi/parser"),
    passed: { result: `${ids.length} of ${ids.length}` },
  });
});

test("the models that quicktype makes of the messages compile, and read every golden event", async (t) => {
  const directory = temporaryDirectory(t);
  const source = join(directory, "models.mts");
  writeFileSync(source, await modelsOf(document));
  const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--ignoreConfig"];
  const compiler = join(repoRoot, "node_modules", ".bin", "tsc");
  await runCommand(compiler, [...options, "--typeRoots", directory, source]);
  const { Convert } = (await import(join(directory, "models.mjs"))) as { Convert: object };
  const golden = readGoldenEvents();
  for (const { name, event } of golden) {
    const read = readerOf(Convert, kindOf(event));
    const model = read(JSON.stringify(event));
    assert.deepEqual([model.id, model.sequence], [event.id, event.sequence], name);
    const wrong = JSON.stringify({ ...event, sequence: 7 });
    assert.throws(() => read(wrong), { message: /Invalid value/ }, name);
  }
  keepResult({
    software: "`quicktype-core`",
    version: npmVersion("quicktype-core"),
    passed: { result: `${golden.length} of ${golden.length}` },
  });
});

type ReadModel = (json: string) => { readonly id: string; readonly sequence: string };

/** The function of the generated models that checks and reads an event; quicktype writes some words in capitals. */
function readerOf(models: object, kind: EventKind): ReadModel {
  const wanted = `to${modelName(kind)}`.toLowerCase();
  const found = Object.getOwnPropertyNames(models).find((name) => name.toLowerCase() === wanted);
  const reader: unknown = Reflect.get(models, found ?? "");
  if (typeof reader !== "function") throw new Error(`no model of ${kind}`);
  return (json) => Reflect.apply(reader, models, [json]);
}

function modelName(kind: EventKind): string {
  return `${kind.replaceAll(/(?:^|\.)([a-z])/g, (_, first: string) => first.toUpperCase())}Event`;
}

/** TypeScript types of all messages, with functions that check and read them. */
async function modelsOf(parsed: AsyncAPIDocumentInterface): Promise<string> {
  const schemas = new JSONSchemaInput(undefined);
  for (const message of parsed.allMessages().all()) {
    const { payload } = message.json<{ payload: { schema: object } }>();
    const name = modelName(message.id() as EventKind);
    await schemas.addSource({ name, schema: JSON.stringify(payload.schema) });
  }
  const inputData = new InputData();
  inputData.addInput(schemas);
  const { lines } = await quicktype({ inputData, lang: "typescript" });
  return lines.join("\n");
}
