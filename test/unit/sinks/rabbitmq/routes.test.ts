import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { sinkKinds } from "../../../../src/sinks/registry.ts";
import { type FakeOptions, startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { range } from "../../../support/run-pipeline.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";

const signal = new AbortController().signal;
const exchangeDeclare = "40.10";
const publish = "60.40";

/** A sink of one lane with a route to each of these exchanges, and its broker. */
async function sinkTo(t: TestContext, exchanges: readonly string[], options: FakeOptions = {}) {
  // What is confirmed at once would be confirmed before an event of the same window ends the channel.
  const broker = await startFakeRabbitMq(() => "later", options);
  const routes = exchanges.map((exchange) => ({ exchange }));
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1, routes });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  const declared = () =>
    broker
      .requests()
      .filter(({ method }) => method === exchangeDeclare)
      .map(({ text }) => /(events|crls|gone)/.exec(text)?.[1]);
  return { broker, sink, declared };
}

const notFound = (exchange: string) =>
  ({
    closes: "channel",
    replyCode: 404,
    replyText: `NOT_FOUND - no exchange '${exchange}' in vhost '/'`,
  }) as const;

test("every exchange whose name is known is examined, and a missing one is named", async (t) => {
  const { sink, declared } = await sinkTo(t, ["crls", "events", "t.{template}"]);
  await sink.open(signal);
  assert.deepEqual(declared(), ["events", "crls"]);
  const { sink: other } = await sinkTo(t, ["gone"], {
    refuse: ({ method, text }) =>
      method === exchangeDeclare && text.includes("gone") ? notFound("gone") : undefined,
  });
  await assert.rejects(other.open(signal), (error: Error) => {
    assert.match(`${error.message} ${Object(error.cause).message}`, /no exchange 'gone'/);
    return true;
  });
});

/** The event that goes to an exchange that is missing; a fake broker knows it by its size. */
const lost = 5;

test("while the exchange of an event is missing, those before it are confirmed and not sent again", async (t) => {
  let isMissing = true;
  const { broker, sink } = await sinkTo(t, ["t.{template}"], {
    refuse: ({ method, size }) =>
      isMissing && method === publish && size > 1000 ? notFound("t.gone") : undefined,
  });
  await sink.open(signal);
  const all = range(1, 9).map((n) => ({
    ...sampleOutbound(n, `ca/${n}`, n === lost ? 1000 : 0),
    destination: { exchange: n === lost ? "t.gone" : "events", routingKey: "x" },
  }));
  let rest = all;
  for (let tries = 1; tries <= 20; tries += 1) {
    const { acknowledged, failure } = await sink.publish(0, rest, signal);
    rest = rest.slice(acknowledged);
    assert.equal(failure?.kind, "config");
    assert.match(String(Object(failure?.cause.cause).message), /no exchange 't.gone'/);
  }
  assert.equal(rest[0]?.id, all[lost - 1]?.id);
  const small = broker.requests().filter(({ method, size }) => method === publish && size < 1000);
  // The first try may have sent all of them, and the second one those before the lost one.
  assert.ok(small.length <= all.length - 1 + lost - 1, `${small.length} of the others were sent`);
  isMissing = false;
  assert.deepEqual(await sink.publish(0, rest, signal), { acknowledged: rest.length });
});

/** The messages of what `check` finds without a connection. */
function findingsOf(routes: readonly object[], bindingKey: string): string[] {
  const kind = sinkKinds.find((each) => each.kind === "rabbitmq");
  const entry = {
    name: "r",
    url: "amqp://localhost/?exchange=events",
    routingKey: "all",
    routes,
    topology: { stream: { name: "s", bindingKey } },
  };
  const parsed = kind?.options.parse(entry);
  assert.ok(kind && parsed);
  const sink = kind.configure(parsed, { baseDirectory: "/", secret: () => "" });
  return sink.inspect(0).map(({ message }) => message);
}

test("a queue that is bound by the one routing key misses what a route sends by another", () => {
  const missing = ["no stream or queue of the topology receives every event"];
  assert.deepEqual(findingsOf([{ exchange: "other", routingKey: "x" }], "all"), []);
  assert.deepEqual(findingsOf([{ routingKey: "x" }], "all"), missing);
  assert.deepEqual(findingsOf([{ routingKey: "x" }], "#"), []);
});

test("a stream that does not take every event of its channel is at risk on RabbitMQ 3", async (t) => {
  const findings = async (exchange: string) => {
    const broker = await startFakeRabbitMq(() => true);
    const topology = { stream: { name: "s" } };
    const sink = rabbitMqSink([broker.url], "events", { routes: [{ exchange }], topology });
    t.after(async () => {
      await sink.close();
      broker.stop();
    });
    await sink.open(signal);
    return sink.findings.map(({ message }) => message);
  };
  assert.deepEqual(await findings("events"), []);
  assert.match((await findings("other"))[0] ?? "", /^stream "s" does not take every event/);
});
