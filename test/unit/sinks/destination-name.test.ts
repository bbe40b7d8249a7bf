import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventKinds } from "../../../src/events/event.ts";
import { fillTopic, topicName } from "../../../src/sinks/kafka/topic-name.ts";
import { amqpName, assertExchange, assertRoutingKey } from "../../../src/sinks/rabbitmq/names.ts";

const kind = "certificate.issued";

function topicOf(text: string, template?: string, ca?: string): string {
  return fillTopic(topicName(text), { kind, template, ca });
}

function keyOf(text: string, template?: string, ca?: string): string {
  return amqpName(text).nameFor({ kind, template, ca });
}

test("a topic gets the values of an event, each other character replaced by _", () => {
  assert.equal(topicOf("ca.{kind}"), "ca.certificate.issued");
  assert.equal(
    topicOf("{ca}.{template}", "Web Server/2", "Corp Käse 🔑"),
    "Corp_K_se__.Web_Server_2",
  );
  assert.equal(topicOf("t-{template}", "1.3.6.1.4"), "t-1.3.6.1.4");
  assert.equal(topicOf("t-{template}", "{ca}", "x"), "t-_ca_", "a value is not read again");
  assert.equal(
    topicOf("t-{template}", "a b"),
    topicOf("t-{template}", "a/b"),
    "they share a topic",
  );
});

test("a topic is never . or .., and an empty or missing value is none", () => {
  assert.equal(topicOf("{ca}", undefined, "."), "_");
  assert.equal(topicOf("{ca}", undefined, ".."), "__");
  assert.equal(topicOf("{ca}", undefined, "..."), "...");
  assert.equal(topicOf("{template}.{ca}", ""), "none.none");
});

test("a value makes one word of a routing key, whatever is in it", () => {
  assert.equal(keyOf("{kind}.{template}", "1.3.6"), "certificate.issued.1_3_6");
  assert.equal(keyOf("{template}", "a.b*c#d\0e\u202Ef\u2028g\nh"), "a_b_c_d_e_f_g_h");
  assert.equal(keyOf("{ca}", undefined, "Käse CA 🔑"), "Käse CA 🔑");
  assert.equal(keyOf("{ca}.{template}"), "none.none");
});

test("a long value is cut at a whole character", () => {
  assert.equal(topicOf("{template}", "x".repeat(200)), "x".repeat(100));
  assert.equal(keyOf("{ca}", undefined, "🔑".repeat(40)), "🔑".repeat(16));
  assert.equal(keyOf("{ca}", undefined, `x${"🔑".repeat(40)}`), `x${"🔑".repeat(15)}`);
});

test("no value makes a topic that Kafka refuses, or a routing key with another number of words", () => {
  const text = fc.string({ unit: "binary", maxLength: 400 });
  const forms = fc.constantFrom("{ca}", "{template}", "a.{kind}-{template}_{ca}", "{ca}{template}");
  fc.assert(
    fc.property(forms, fc.constantFrom(...eventKinds), text, text, (form, each, template, ca) => {
      const values = { kind: each, template, ca };
      const topic = fillTopic(topicName(form), values);
      assert.match(topic, /^[a-zA-Z0-9._-]{1,249}$/);
      assert.ok(topic !== "." && topic !== "..");
      const key = amqpName(form).nameFor(values);
      assert.ok(Buffer.byteLength(key) <= 255);
      assert.equal(key.split(".").length, form.replace("{kind}", each).split(".").length);
      assert.doesNotMatch(key, /[*#\p{Cc}]/u);
    }),
  );
});

test("names that the broker would refuse, or whose placeholders do not exist, are refused", () => {
  for (const text of ["", ".", "..", "a b", "{ca} x", "ü", "{ca}".repeat(4), "x".repeat(250)]) {
    assert.throws(() => topicName(text), { code: "CERTWIRE_CONFIG_INVALID" }, text);
  }
  for (const assertName of [topicName, assertExchange, assertRoutingKey]) {
    assert.throws(() => assertName("t.{requester}"), {
      message: "{requester} is not a placeholder",
      hint: /whoever requests a certificate/,
    });
    assert.throws(() => assertName("t.{Kind}"), { hint: /\{kind\}, \{template\} and \{ca\}/ });
  }
  assert.throws(() => assertExchange(""), /1 to 255 bytes/);
  assert.throws(() => assertRoutingKey("ü".repeat(128)), /256 bytes, and AMQP allows 255/);
  assert.throws(() => assertRoutingKey("{template}{template}{ca}"), /264 bytes/);
});
