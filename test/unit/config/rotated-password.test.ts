import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";

const directory = mkdtempSync(join(tmpdir(), "certwire-password-"));
after(() => rmSync(directory, { recursive: true }));

function withSinks(sink: string): string {
  return `{ "journal": { "directory": "j" }, "state": { "directory": "s" }, "sinks": [${sink}] }`;
}

function passwordIn({ options }: { readonly options: object }): string {
  const { password } = options as { readonly password: () => string };
  return password();
}

const rotated = {
  RabbitMQ: {
    sink: '{ "name": "r", "url": "amqp://me@broker", "password": { "file": "rotated.txt" } }',
    options: (options: object) => options,
  },
  Kafka: {
    sink: '{ "name": "k", "url": "kafka://broker/t", "sasl": { "mechanism": "plain", "username": "me", "password": { "file": "rotated.txt" } } }',
    options: (options: object) => (options as { readonly sasl: object }).sasl,
  },
};

for (const [broker, { sink, options }] of Object.entries(rotated)) {
  test(`the password of ${broker} is read each time; while it cannot be read, that is retried`, () => {
    const path = join(directory, "rotated.txt");
    writeFileSync(path, "old");
    const [configured] = parseConfig(join(directory, "certwire.jsonc"), withSinks(sink)).sinks;
    const read = () => passwordIn({ options: options(configured?.options ?? {}) });
    assert.equal(read(), "old");
    rmSync(path);
    assert.throws(read, (error) => {
      assert.ok(error instanceof CertwireError);
      assert.equal(error.code, "CERTWIRE_SINK_CONFIG");
      assert.match(error.message, /cannot be read: ENOENT/);
      assert.match(error.hint, /rotated\.txt/);
      return error.retryable;
    });
    writeFileSync(path, "new");
    assert.equal(read(), "new");
  });
}
