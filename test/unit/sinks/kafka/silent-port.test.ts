import assert from "node:assert/strict";
import { test } from "node:test";
import { describeError } from "../../../../src/errors/describe-error.ts";
import { kafkaSink } from "../../../support/make-sink.ts";
import { startMuteServer } from "../../../support/mute-server.ts";
import { until } from "../../../support/until.ts";

test("a port that never answers is reported with its address, and its connections are closed", async (t) => {
  const server = await startMuteServer(t);
  const address = `127.0.0.1:${server.port}`;
  // As long together as a request may take, as with the defaults.
  const times = { connectTimeoutMs: 500, requestTimeoutMs: 1000 };
  const sink = kafkaSink([address], "events", times);
  for (let tries = 1; tries <= 3; tries += 1) {
    await assert.rejects(sink.open(), (error) => {
      assert.match(describeError(error).error, new RegExp(`no answer from ${address}`));
      return true;
    });
  }
  await sink.close();
  assert.ok(server.connections() >= 3);
  await until(() => server.open() === 0, "every connection is closed");
});

test("an IPv6 address is connected to, and named as it was written", async (t) => {
  const server = await startMuteServer(t, "::1");
  const address = `[::1]:${server.port}`;
  const sink = kafkaSink([address], "events", { connectTimeoutMs: 500, requestTimeoutMs: 1000 });
  await assert.rejects(sink.open(), (error) => {
    assert.ok(describeError(error).error.includes(`no answer from ${address}`));
    return true;
  });
  await sink.close();
  assert.ok(server.connections() > 0);
});
