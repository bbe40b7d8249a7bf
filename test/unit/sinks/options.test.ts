import assert from "node:assert/strict";
import { test } from "node:test";
import { fileSinkOptions, resolveFileSink } from "../../../src/sinks/file/options.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../src/sinks/kafka/options.ts";
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
  assert.equal(secure.sasl?.password(), "secret of PW");
});

test("an AMQP URL gives hosts, vhost and exchange, with RabbitMQ's defaults", () => {
  const parse = (url: string) =>
    resolveRabbitMqSink(rabbitmqSinkOptions.parse({ name: "r", url }), context);
  const short = parse("amqp://a");
  assert.deepEqual([short.vhost, short.exchange, short.username], ["/", "certwire", "guest"]);
  const long = parse("amqp://me@a,b/pki?exchange=ca");
  assert.deepEqual([long.vhost, long.exchange, long.username], ["pki", "ca", "me"]);
  assert.equal(long.hosts.length, 2);
});

test("a file URL may be relative to the configuration file", () => {
  const parse = (url: string) =>
    resolveFileSink(fileSinkOptions.parse({ name: "f", url }), context).directory;
  assert.equal(parse("file:///var/events"), "/var/events");
  assert.equal(parse("file:events"), "/etc/certwire/events");
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
