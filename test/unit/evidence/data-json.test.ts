import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReceivedMessage } from "../../../src/consumer/message.ts";
import { readEvent } from "../../../src/consumer/read-event.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import { dataJson } from "../../../src/evidence/data-json.ts";
import { sampleEvent } from "../../support/sample-events.ts";

type Message = Pick<ReceivedMessage, "headers" | "body">;

function eventWith(data: object): CertwireEvent {
  return { ...sampleEvent(7), data: data as CertwireEvent["data"] };
}

function structured(body: Buffer | string): Message {
  return { headers: {}, body: Buffer.from(body) };
}

function binary(event: CertwireEvent, data = JSON.stringify(event.data)): Message {
  const { data: _data, datacontenttype, ...attributes } = event;
  const named = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, String(value)]);
  const headers = { ...Object.fromEntries(named), "content-type": datacontenttype };
  return { headers, body: Buffer.from(data) };
}

const read = (message: Message) => dataJson(readEvent(message), message);
const textOf = (message: Message) => String(read(message));

const plain = eventWith({ request: { id: 7, names: ["CN=a, OU=b: c", "ü"] }, note: 'a"b\\c\n' });
const escaped = eventWith({ text: "right to left \u202e, line \u2028, bell \u0007" });

test("the bytes of a message are taken as they are where Certwire has written them", () => {
  for (const message of [structured(encodeEvent(plain).json), binary(plain)]) {
    assert.ok(Buffer.isBuffer(read(message)));
    assert.equal(textOf(message), JSON.stringify(plain.data));
  }
  const replayed = structured(encodeEvent({ ...plain, replayed: true }).json);
  assert.ok(Buffer.isBuffer(read(replayed)));
});

test("copies in another form say the same", () => {
  for (const event of [plain, escaped]) {
    const { data, ...attributes } = event;
    const spaced = JSON.stringify(data).replaceAll('":', '": ');
    const copies = [
      structured(encodeEvent(event).json),
      structured(JSON.stringify(event)),
      structured(JSON.stringify(event, undefined, 1)),
      structured(JSON.stringify({ data, ...attributes })),
      structured(JSON.stringify(event).replaceAll("/", "\\/")),
      structured(JSON.stringify(event).replace(`"data":{`, `"data": { `)),
      binary(event),
      binary(event, spaced),
      binary(event, JSON.stringify(data, undefined, "\t")),
      binary(event, JSON.stringify(data).replaceAll("ü", "\\u00fc")),
    ];
    const texts = new Set(copies.map(textOf));
    assert.deepEqual([...texts], [JSON.stringify(data)]);
  }
});

test("who hides other data in a message changes what it says", () => {
  const genuine = encodeEvent(plain);
  const head = genuine.json.toString("utf8", 0, genuine.dataStart);
  const own = JSON.stringify(plain.data);
  const forged = (other: string): string[] => [
    // The last one of two members with the same name counts.
    `${head}${own},"data":${other}}`,
    `{"data":${other},${head.slice(1)}${own},"data":${other}}`,
    `{"data":${other},${head.slice(1, -'"data":'.length)}"more":{"a":1,"data":${own}}}`,
    `${head.slice(0, -1)} :${other},"more":{"a":1,"data":${own}}}`,
    `${head.slice(0, -1)} :${other},"more":{"a":1,"data":${own}},"more":1}`,
  ];
  const said = [1, 2].map((evil) =>
    forged(JSON.stringify({ evil })).map((body) => {
      const message = structured(body);
      assert.deepEqual(readEvent(message).data, { evil }, body);
      return textOf(message);
    }),
  );
  for (const [at, text] of (said[0] ?? []).entries()) {
    assert.notEqual(text, own);
    assert.notEqual(text, said[1]?.[at], "two messages with different data do not say the same");
  }
});

test("data without members is data", () => {
  const empty = eventWith({});
  assert.equal(textOf(structured(encodeEvent(empty).json)), "{}");
  assert.equal(textOf(binary(empty, " {  } ")), "{}");
});
