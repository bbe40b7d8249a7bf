import assert from "node:assert/strict";
import { test } from "node:test";
import { textHeaders } from "../../../src/consumer/message.ts";
import { knownKindOf, readEvent } from "../../../src/consumer/read-event.ts";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import { toMessage } from "../../../src/sinks/kafka/message.ts";
import { toAmqpMessage } from "../../../src/sinks/rabbitmq/message.ts";
import { sampleEvent } from "../../support/sample-events.ts";

const event = { ...sampleEvent(7), subject: "certificate/Ä", replayed: true as const };
const structured = "application/cloudevents+json";

function read(body: string | Buffer, headers: Record<string, string> = {}) {
  return readEvent({ headers, body: Buffer.from(body) });
}

for (const mode of ["structured", "binary"] as const) {
  test(`an event in ${mode} mode is read from a Kafka record as it was`, () => {
    const { value, headers } = toMessage(encodeEvent(event), 0, mode);
    const body = Buffer.from(value ?? "");
    assert.deepEqual(readEvent({ headers: textHeaders(headers ?? {}), body }), event);
  });

  test(`an event in ${mode} mode is read from an AMQP message as it was`, () => {
    const { content, options } = toAmqpMessage(encodeEvent(event), mode);
    const headers = textHeaders({ ...options.headers, "content-type": options.contentType });
    assert.deepEqual(readEvent({ headers, body: content }), event);
  });
}

test("structured JSON is read without a content type, and with parameters in it", () => {
  const text = JSON.stringify(event);
  assert.deepEqual(read(text), event);
  assert.deepEqual(read(text, { "content-type": `${structured}; charset=utf-8` }), event);
});

const broken: Record<string, [body: string | Buffer, headers?: Record<string, string>]> = {
  "it is a batch": ["[]", { "content-type": "application/cloudevents-batch+json" }],
  "the message is not JSON": ["hello"],
  "the message is not UTF-8": [Buffer.from([0x7b, 0xff, 0x7d])],
  "the message is not a JSON object": ["[1]"],
  "it is not a CloudEvent of version 1.0": [JSON.stringify({ ...event, specversion: "0.3" })],
  'it has no attribute "id"': [JSON.stringify({ ...event, id: "" })],
  'it has no attribute "partitionkey"': [JSON.stringify({ ...event, partitionkey: 7 })],
  "its dataschema is not one of Certwire": [JSON.stringify({ ...event, dataschema: "urn:other" })],
  "its data is not a JSON object": [JSON.stringify({ ...event, data: [] })],
  "the data is not JSON": ["", { "ce-specversion": "1.0" }],
};

for (const [reason, [body, headers]] of Object.entries(broken)) {
  test(`a message is not an event when ${reason}`, () => {
    assert.throws(() => read(body, headers), {
      code: "CERTWIRE_MESSAGE_INVALID",
      message: `not an event of Certwire: ${reason}`,
    });
  });
}

test("the kind comes from the schema, so that any type prefix will do, and later versions are unknown", () => {
  assert.equal(knownKindOf({ ...event, type: "org.example.x.v1" }), "certificate.issued");
  for (const schema of ["certificate.issued:v2", "certificate.renewed:v1"]) {
    assert.equal(knownKindOf({ ...event, dataschema: `urn:certwire:schema:${schema}` }), undefined);
  }
});
