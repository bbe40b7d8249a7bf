import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { serverDate } from "../../../src/kafka/server-date.ts";
import { patienceMs } from "../../support/until.ts";

/** A server that answers with this `Date`, or none, and what it was asked. */
async function startServer(t: TestContext, date?: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.authorization ?? "without credentials"}`);
    response.sendDate = false;
    response.writeHead(405, date === undefined ? {} : { date }).end();
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, asked };
}

test("a server says its time although it refuses the request, and gets no credentials", async (t) => {
  const { url, asked } = await startServer(t, "Mon, 15 Jun 2026 12:00:00 GMT");
  const before = Date.now();
  const found = await serverDate({ url, timeoutMs: patienceMs });
  assert.equal(found?.serverMs, Date.parse("2026-06-15T12:00:00Z"));
  assert.ok(
    found.ownMs >= before && found.ownMs <= Date.now(),
    "the own time lies within the wait",
  );
  assert.deepEqual(asked, ["HEAD without credentials"]);
});

test("a server that says no time, or what is none, says nothing", async (t) => {
  for (const date of [undefined, "yesterday"]) {
    const { url } = await startServer(t, date);
    assert.equal(await serverDate({ url, timeoutMs: patienceMs }), undefined);
  }
});

test("a server that is not there rejects with the error of the connection", async () => {
  await assert.rejects(serverDate({ url: "http://127.0.0.1:1/", timeoutMs: patienceMs }), {
    code: "ECONNREFUSED",
  });
});
