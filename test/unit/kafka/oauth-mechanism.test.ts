import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AuthenticationProviderArgs } from "kafkajs";
import { extensionsProblem, oauthMechanism } from "../../../src/kafka/oauth-mechanism.ts";
import { TokenError } from "../../../src/kafka/token-error.ts";
import { TokenKeeper } from "../../../src/kafka/token-keeper.ts";
import { collectLog } from "../../support/collect-log.ts";

/** A broker that answers each message of the mechanism with the next of `answers`: bytes, or an error. */
function setUp(t: TestContext, answers: (string | Error)[], extensions?: Record<string, string>) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let issued = 0;
  const fetch = async () => {
    issued += 1;
    return { value: `token-${issued}`, lifetimeMs: 3_600_000 };
  };
  const keeper = new TokenKeeper(fetch, collectLog().log);
  const sent: string[] = [];
  const saslAuthenticate = async ({
    request,
    response,
  }: Parameters<AuthenticationProviderArgs["saslAuthenticate"]>[0]) => {
    const bytes = await request.encode();
    assert.equal(bytes.readInt32BE(0), bytes.length - 4);
    sent.push(bytes.subarray(4).toString());
    const answer = answers.shift() ?? "";
    if (answer instanceof Error) throw answer;
    const size = Buffer.alloc(4);
    size.writeInt32BE(answer.length);
    const raw = Buffer.concat([size, Buffer.from(answer)]);
    return response && response.parse(await response.decode(raw));
  };
  const authenticate = () =>
    oauthMechanism(keeper, extensions)
      .authenticationProvider({ host: "broker", port: 9093, saslAuthenticate } as never)
      .authenticate();
  return { authenticate, sent };
}

const failed = Object.assign(new Error('{"status":"invalid_token"}'), {
  type: "SASL_AUTHENTICATION_FAILED",
});

test("a token goes out as RFC 7628 says, with its extensions", async (t) => {
  const plain = setUp(t, [""]);
  await plain.authenticate();
  assert.deepEqual(plain.sent, ["n,,\u0001auth=Bearer token-1\u0001\u0001"]);
  t.mock.timers.reset();
  const extensions = { logicalCluster: "lkc-1", identityPoolId: "pool-2" };
  const extended = setUp(t, [""], extensions);
  await extended.authenticate();
  const fields = "logicalCluster=lkc-1\u0001identityPoolId=pool-2";
  assert.deepEqual(extended.sent, [`n,,\u0001auth=Bearer token-1\u0001${fields}\u0001\u0001`]);
});

test("a refused token is an error with the broker's reason, and is not sent again", async (t) => {
  const answers = ['{"status":"invalid_token"}', failed, ""];
  const { authenticate, sent } = setUp(t, answers);
  await assert.rejects(authenticate(), (error) => {
    assert.ok(error instanceof TokenError);
    assert.equal(error.kind, "refused");
    assert.equal(error.message, "broker:9093 refuses the access token: invalid_token");
    assert.match(error.hint, /clock/);
    return true;
  });
  assert.equal(sent[1], "\u0001");
  await authenticate();
  assert.match(sent[2] ?? "", /token-2/);
});

test("a broker that refuses at once, or repeats the token, does not get it into a message", async (t) => {
  const echo = Object.assign(new Error("bad token-1\n!"), { type: "SASL_AUTHENTICATION_FAILED" });
  const { authenticate } = setUp(t, [echo]);
  const message = "broker:9093 refuses the access token: bad *** !";
  await assert.rejects(authenticate(), { kind: "refused", message });
});

test("any other error passes as it is", async (t) => {
  const closed = new Error("Closed connection");
  const { authenticate } = setUp(t, [closed]);
  await assert.rejects(authenticate(), closed);
});

test("extensions that could add fields are refused", () => {
  assert.equal(extensionsProblem({ logicalCluster: "lkc-1", x: "" }), undefined);
  for (const bad of [{ auth: "x" }, { "a b": "x" }, { a1: "x" }, { "": "x" }]) {
    assert.match(extensionsProblem(bad) ?? "", /names/);
  }
  assert.match(extensionsProblem({ a: "x\u0001auth=y" }) ?? "", /values/);
});
