import assert from "node:assert/strict";
import { test } from "node:test";
import { eventKinds } from "../../../src/events/event.ts";
import { longestKind } from "../../../src/sinks/destination-name.ts";
import { fileSinkOptions, resolveFileSink } from "../../../src/sinks/file/options.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../src/sinks/kafka/options.ts";
import { rabbitmq } from "../../../src/sinks/rabbitmq/index.ts";
import { rabbitmqSinkOptions, resolveRabbitMqSink } from "../../../src/sinks/rabbitmq/options.ts";

const context = {
  baseDirectory: "/etc/certwire",
  secret: (reference: object) => `secret of ${Object.values(reference)[0]}`,
};

test("a Kafka URL gives brokers and topic, and kafkas: turns TLS on", () => {
  const plain = kafkaSinkOptions.parse({ name: "k", url: "kafka://a,b:9999/ca.events" });
  const options = resolveKafkaSink(plain, context);
  assert.deepEqual(options.brokers, ["a:9092", "b:9999"]);
  assert.equal(options.topic, "ca.events");
  assert.equal(options.tls, undefined);
  const secure = resolveKafkaSink(
    kafkaSinkOptions.parse({
      name: "k",
      url: "kafkas://a/t",
      sasl: { mechanism: "plain", username: "u", password: { environment: "PW" } },
      tls: { caFile: "ca.pem" },
    }),
    context,
  );
  assert.deepEqual(secure.tls, { caFile: "/etc/certwire/ca.pem" });
  assert.ok(secure.sasl?.mechanism === "plain");
  assert.equal(secure.sasl.password(), "secret of PW");
});

test("an AMQP URL gives hosts, vhost and exchange, with RabbitMQ's defaults", () => {
  const parse = (url: string, more: object = {}) =>
    resolveRabbitMqSink(rabbitmqSinkOptions.parse({ name: "r", url, ...more }), context);
  const short = parse("amqp://a");
  assert.deepEqual([short.vhost, short.exchange, short.username], ["/", "certwire", "guest"]);
  const long = parse("amqp://me@a,b/pki?exchange=ca", { password: { environment: "PW" } });
  assert.deepEqual([long.vhost, long.exchange, long.username], ["pki", "ca", "me"]);
  assert.equal(long.hosts.length, 2);
});

test("what was routed holds for the same hosts and vhost of RabbitMQ", () => {
  const routingOf = (url: string, more: object = {}) => {
    const entry = rabbitmq.options.parse({ name: "r", url, ...more });
    return rabbitmq.configure(entry, context).routing;
  };
  const password = { environment: "PW" };
  const routing = routingOf("amqp://a,b/pki?exchange=ca");
  assert.equal(typeof routing, "string");
  const same = routingOf("amqp://me@b:5672,a/pki?exchange=ca", { password, lanes: 2, window: 5 });
  assert.equal(same, routing);
  const others = [
    routingOf("amqp://a/pki?exchange=ca"),
    routingOf("amqp://a,b:5673/pki?exchange=ca"),
    routingOf("amqp://a,b/other?exchange=ca"),
  ];
  assert.equal(new Set([routing, ...others]).size, others.length + 1);
});

test("a file URL may be relative to the configuration file", () => {
  const parse = (url: string) =>
    resolveFileSink(fileSinkOptions.parse({ name: "f", url }), context).directory;
  assert.equal(parse("file:///var/events"), "/var/events");
  assert.equal(parse("file:events"), "/etc/certwire/events");
});

/** One byte more than a name in AMQP may have. */
const long = "n".repeat(256);

function queueOf(queue: object): object {
  return { quorumQueues: [queue] };
}

test("names and routing keys of AMQP may have 255 bytes, with the longest kind", () => {
  assert.ok(eventKinds.every((kind) => kind.length <= longestKind.length));
  assert.ok(eventKinds.some((kind) => kind === longestKind));
  const routingKey = `{kind}${"k".repeat(255 - longestKind.length - 60)}`;
  const url = `amqp://a/${"v".repeat(255)}?exchange=${"e".repeat(255)}`;
  assert.ok(rabbitmqSinkOptions.safeParse({ name: "r", url, routingKey }).success);
});

test("bad entries are refused at the field that is wrong", () => {
  const bad: [
    { safeParse(entry: object): { error?: { issues: { path: PropertyKey[] }[] } } },
    object,
    string,
  ][] = [
    [kafkaSinkOptions, { url: "kafka://a" }, "url"],
    [kafkaSinkOptions, { url: "kafka://u@a/t" }, "url"],
    [kafkaSinkOptions, { url: "kafka://a/t", tls: {} }, "tls"],
    [kafkaSinkOptions, { url: "kafka://a/t", mode: "avro" }, "mode"],
    [kafkaSinkOptions, { url: "kafka://a/t", batchEvents: 0 }, "batchEvents"],
    [rabbitmqSinkOptions, { url: "amqp://u:p@a/" }, "url"],
    [rabbitmqSinkOptions, { url: "amqp://a/?queue=q" }, "url"],
    [rabbitmqSinkOptions, { url: "amqp://a/", window: 0 }, "window"],
    [rabbitmqSinkOptions, { url: "amqp://a/?exchange=a&exchange=b" }, "url"],
    [rabbitmqSinkOptions, { url: `amqp://a/?exchange=${"e".repeat(256)}` }, "url"],
    [rabbitmqSinkOptions, { url: `amqp://a/?exchange=${"\u00fc".repeat(128)}` }, "url"],
    [rabbitmqSinkOptions, { url: `amqp://a/${"v".repeat(256)}` }, "url"],
    [rabbitmqSinkOptions, { url: "amqp://a/", routingKey: "{kind}".repeat(33) }, "routingKey"],
    [rabbitmqSinkOptions, { url: "amqp://a/", routingKey: "\u00fc".repeat(128) }, "routingKey"],
    [rabbitmqSinkOptions, { url: "amqp://a/", topology: queueOf({ name: long }) }, "topology"],
    [
      rabbitmqSinkOptions,
      { url: "amqp://a/", topology: queueOf({ name: "q", bindingKey: long }) },
      "topology",
    ],
    [
      rabbitmqSinkOptions,
      { url: "amqp://a/", topology: queueOf({ name: "q", deadLetterExchange: long }) },
      "topology",
    ],
    [
      rabbitmqSinkOptions,
      { url: "amqp://a/", topology: queueOf({ name: "q", deliveryLimit: 0 }) },
      "topology",
    ],
    [fileSinkOptions, { url: "file://host/dir" }, "url"],
    [fileSinkOptions, { url: "file:x", name: "Bad Name" }, "name"],
  ];
  for (const [schema, entry, field] of bad) {
    const { error } = schema.safeParse({ name: "s", ...entry });
    assert.deepEqual(
      error?.issues.map(({ path }) => path[0]),
      [field],
      JSON.stringify(entry),
    );
  }
  assert.ok(!fileSinkOptions.safeParse({ name: "f", url: "file:x", unknownKey: 1 }).success);
});
