import assert from "node:assert/strict";
import { test } from "node:test";
import { awsMskIam, oauthBearer } from "../../../src/consumer/kafka/access.ts";
import { toConsumerError } from "../../../src/consumer/kafka/client.ts";
import { TokenError, type TokenErrorKind } from "../../../src/kafka/token-error.ts";

const good = { tokenEndpoint: "https://login.example/token", clientId: "c", clientSecret: "s" };

test("valid options make access for kafkajs, and connect to nothing", () => {
  assert.equal(oauthBearer(good).mechanism, "OAUTHBEARER");
  assert.equal(oauthBearer({ ...good, clientSecret: () => "s" }).mechanism, "OAUTHBEARER");
  assert.equal(awsMskIam({ region: "eu-central-1" }).mechanism, "OAUTHBEARER");
});

const wrong: Record<string, object> = {
  tokenEndpoint: { tokenEndpoint: "http://login.example/token" },
  clientId: { clientId: "" },
  clientSecret: { clientSecret: undefined },
  extensions: { extensions: { auth: "x" } },
};

for (const [name, values] of Object.entries(wrong)) {
  test(`a wrong ${name} is refused by its name`, () => {
    assert.throws(() => oauthBearer({ ...good, ...values }), {
      code: "CERTWIRE_CONSUMER_OPTIONS",
      message: new RegExp(`^${name}: `),
    });
  });
}

test("a region must be a text", () => {
  assert.throws(() => awsMskIam({ region: "" }), { code: "CERTWIRE_CONSUMER_OPTIONS" });
});

test("a token that cannot be had now is waited for; every other reason ends the consumer", () => {
  const codes: Record<TokenErrorKind, string> = {
    unreachable: "CERTWIRE_CONSUMER_UNREACHABLE",
    refused: "CERTWIRE_CONSUMER_REFUSED",
    config: "CERTWIRE_CONSUMER_REFUSED",
  };
  for (const [kind, code] of Object.entries(codes)) {
    const cause = new TokenError(kind as TokenErrorKind, "no token", "do this");
    const error = toConsumerError(new Error("retries exceeded", { cause }), "cannot subscribe");
    assert.equal(error.code, code);
    assert.equal(error.hint, "do this");
    assert.match(error.message, /^cannot subscribe: .*no token$/);
  }
});

test("a codec that is missing ends the consumer with what to do", () => {
  const cause = Object.assign(new Error("LZ4 compression not implemented"), {
    name: "KafkaJSNotImplemented",
  });
  const error = toConsumerError(new Error("crashed", { cause }), "the Kafka client gave up");
  assert.equal(error.code, "CERTWIRE_CONSUMER_REFUSED");
  assert.match(error.hint, /CompressionCodecs/);
});
