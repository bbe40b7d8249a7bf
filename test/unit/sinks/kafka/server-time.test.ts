import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseConfig } from "../../../../src/config/load.ts";
import { temporaryDirectory } from "../../../support/run-cli.ts";
import { patienceMs } from "../../../support/until.ts";

/** A Kafka sink with these options. */
function sinkOf(t: TestContext, sasl?: object) {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "secret.txt"), "5ecret\n");
  const sink = { name: "kafka", url: "kafka://broker.example/topic", ...(sasl && { sasl }) };
  const places = { journal: { directory: "j" }, state: { directory: "s" } };
  const text = JSON.stringify({ ...places, sinks: [sink] });
  const found = parseConfig(join(directory, "certwire.json"), text).sinks[0];
  assert.ok(found);
  return found;
}

test("a sink with access tokens knows the time of its token endpoint", async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(401, { date: "Mon, 15 Jun 2026 12:00:00 GMT" }).end();
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const oauth = {
    tokenEndpoint: `http://127.0.0.1:${port}/token`,
    clientId: "certwire",
    clientSecret: { file: "secret.txt" },
  };
  const found = await sinkOf(t, { mechanism: "oauthbearer", oauth }).serverTime(patienceMs);
  assert.equal(found?.serverMs, Date.parse("2026-06-15T12:00:00Z"));
  assert.equal(found.server, `the token endpoint 127.0.0.1:${port}`);
});

test("a sink with a password, or none, asks nobody for the time", async (t) => {
  const password = { file: "secret.txt" };
  for (const sasl of [undefined, { mechanism: "plain", username: "me", password }]) {
    assert.equal(await sinkOf(t, sasl).serverTime(patienceMs), undefined);
  }
});
