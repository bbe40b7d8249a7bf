import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { TokenError } from "../../../src/kafka/token-error.ts";
import { TokenKeeper } from "../../../src/kafka/token-keeper.ts";
import { collectLog } from "../../support/collect-log.ts";
import { turns } from "../../support/until.ts";

const down = new TokenError("unreachable", "the endpoint is down", "wait");

/** A keeper on a clock that the test moves, and an endpoint that issues `token-1`, `token-2` and so on. */
function setUp(t: TestContext, lifetimeMs = 3_600_000) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { log, lines } = collectLog();
  let now = 1000;
  const endpoint = { requests: 0, isDown: false, lifetimeMs, wait: Promise.resolve() };
  const fetch = async () => {
    endpoint.requests += 1;
    const value = `token-${endpoint.requests}`;
    const { isDown, wait } = endpoint;
    await wait;
    if (isDown) throw down;
    return { value, lifetimeMs: endpoint.lifetimeMs };
  };
  const keeper = new TokenKeeper(fetch, log, () => now);
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    t.mock.timers.tick(ms);
    await turns();
  };
  return { keeper, endpoint, lines, pass };
}

test("all who ask at once share one request, and get its token until it is renewed", async (t) => {
  const { keeper, endpoint } = setUp(t);
  const tokens = await Promise.all([keeper.token(), keeper.token(), keeper.token()]);
  assert.deepEqual(new Set(tokens), new Set(["token-1"]));
  assert.equal(await keeper.token(), "token-1");
  assert.equal(endpoint.requests, 1);
});

test("a token that is in use is renewed in the background when a fifth of its life is left", async (t) => {
  const { keeper, endpoint, pass } = setUp(t);
  await keeper.token();
  await pass(2_879_000);
  assert.equal(endpoint.requests, 1);
  await pass(1000);
  assert.equal(endpoint.requests, 2);
  assert.equal(await keeper.token(), "token-2");
  assert.equal(endpoint.requests, 2);
});

test("a token that nobody has asked for since is not renewed", async (t) => {
  const { keeper, endpoint, pass } = setUp(t);
  await keeper.token();
  await pass(2_880_000);
  assert.equal(endpoint.requests, 2);
  await pass(10 * 2_880_000);
  assert.equal(endpoint.requests, 2);
  assert.equal(await keeper.token(), "token-3");
});

test("while the endpoint is down the old token serves until it is nearly over", async (t) => {
  const { keeper, endpoint, lines, pass } = setUp(t);
  await keeper.token();
  endpoint.isDown = true;
  await pass(2_880_000);
  assert.equal(await keeper.token(), "token-1");
  const [line] = lines;
  assert.equal(line?.["msg"], "cannot renew the access token");
  assert.deepEqual([line["error"], line["hint"], line["leftSeconds"]], [down.message, "wait", 720]);
  const before = endpoint.requests;
  await pass(30_000);
  assert.equal(endpoint.requests, before + 1, "it is tried again after 30 s");
  await pass(675_000);
  assert.equal(await keeper.token(), "token-1");
  await pass(5000);
  await assert.rejects(keeper.token(), down);
  endpoint.isDown = false;
  await pass(1000);
  assert.match(await keeper.token(), /^token-\d+$/);
  assert.equal(lines.filter(({ msg }) => msg !== "cannot renew the access token").length, 0);
});

test("a failure is the answer for a second, not a reason to ask again for each connection", async (t) => {
  const { keeper, endpoint, pass } = setUp(t);
  endpoint.isDown = true;
  for (let at = 0; at < 5; at += 1) await assert.rejects(keeper.token(), down);
  assert.equal(endpoint.requests, 1);
  endpoint.isDown = false;
  await pass(1000);
  assert.equal(await keeper.token(), "token-2");
});

test("a token of a minute or less is not used for a second connection later on", async (t) => {
  const { keeper, endpoint, pass } = setUp(t, 60_000);
  assert.equal(await keeper.token(), "token-1");
  await pass(1);
  assert.equal(await keeper.token(), "token-2");
  await pass(600_000);
  assert.equal(endpoint.requests, 2, "and no timer renews it");
});

test("a token that a broker refused is not used again, and its successor is not forgotten with it", async (t) => {
  const { keeper, endpoint } = setUp(t);
  const first = await keeper.token();
  keeper.refused(first);
  assert.equal(await keeper.token(), "token-2");
  keeper.refused(first);
  assert.equal(await keeper.token(), "token-2");
  assert.equal(endpoint.requests, 2);
});

test("a token that took long to arrive has less of its life left", async (t) => {
  const { keeper, endpoint, pass } = setUp(t);
  let release = (): void => undefined;
  endpoint.wait = new Promise((resolve) => {
    release = resolve;
  });
  const asking = keeper.token();
  await pass(2_880_000);
  release();
  assert.equal(await asking, "token-1");
  endpoint.wait = Promise.resolve();
  assert.equal(await keeper.token(), "token-2");
});
