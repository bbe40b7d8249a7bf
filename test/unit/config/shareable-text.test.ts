import assert from "node:assert/strict";
import { test } from "node:test";
import { shareableText } from "../../../src/config/shareable-text.ts";

const share = (text: string): string => shareableText(text, (value) => value);

const broken = [
  '{ "password" "hunter2-long" }',
  '{ "password" = "hunter2-long" }',
  '{ "password": hunter2-long }',
  '{ "password: "hunter2-long", "name": "x" }',
  '{ "password": "hunter"2-long" }',
  '{ "password": "hunter2-long }',
  '{ "password" 8472910 }',
  '{ "url": "amqp://me:hunter2-long"@rabbit/" }',
  '{ "sasl": { "password" } "hunter2-long" }',
  `${'{ "password" "hunter2-long", "sasl": '.repeat(40)}{}`,
  `${"[".repeat(50_000)}"hunter2-long"`,
];
for (const text of broken) {
  test(`of ${text.slice(0, 60)} only the keys are shared`, () => {
    assert.doesNotMatch(share(text), /hunter|2-long|8472910/);
    if (text.includes('"password"')) assert.match(share(text), /"password"/);
  });
}

test("of a valid configuration what is not secret is shared, without comments", () => {
  const text = '{ "sinks": [{ "name": "r", "url": "amqp://r/", "password": "hunter2" }], } // note';
  const shared = '{ "sinks": [{ "name": "r", "url": "amqp://r/", "password": "*******" }], } ';
  assert.equal(share(text).trimEnd(), shared.trimEnd());
});
