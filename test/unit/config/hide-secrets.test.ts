import assert from "node:assert/strict";
import { test } from "node:test";
import { hideSecrets } from "../../../src/config/hide-secrets.ts";

const hide = (line: string): string => hideSecrets(line, new Set());

test("the password of a URL is hidden in a code frame, the rest stays", () => {
  const line = '{ "url": "amqp://svc:hunter2@rabbit:5672/vh" }';
  assert.equal(hide(line), line.replace("hunter2", "*******"));
});

test("a password in the query of a URL is hidden", () => {
  const line = '{ "url": "kafka://host:9092/topic?user=a&password=hunter2&x=1" }';
  assert.equal(hide(line), line.replace("hunter2", "*******"));
});

test("a URL that JSON escapes disguise is hidden whole", () => {
  for (const url of [
    String.raw`amqp:\/\/svc:hunter2@rabbit`,
    String.raw`amqp://svc\u003ahunter2@rabbit`,
    String.raw`kafka://h\/t?pass\u0077ord=hunter2`,
  ]) {
    const line = `{ "url": "${url}" }`;
    assert.equal(hide(line).includes("hunter2"), false, url);
    assert.equal(hide(line).length, line.length);
  }
});
