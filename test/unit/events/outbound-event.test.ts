import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeEvent, eventOf, toOutbound } from "../../../src/events/outbound-event.ts";
import { dataOf } from "../../../src/sinks/message-content.ts";
import { sampleEvent } from "../../support/sample-events.ts";

test("the data begins where the event says, whatever its attributes hold", () => {
  for (const source of ["urn:certwire:ca:test", 'x,"data":{"a":1}', "urn:ünïcode:ca"]) {
    const event = { ...sampleEvent(1), source };
    const outbound = encodeEvent(event);
    assert.deepEqual(JSON.parse(outbound.json.toString()), event);
    assert.deepEqual(JSON.parse(dataOf(outbound).toString()), event.data);
    assert.deepEqual(eventOf(outbound), event);
  }
});

/** Every character that a terminal or a reader of lines may act on, beyond the C0 controls of JSON itself. */
const active = [
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  0x61c,
  0x200e,
  0x200f,
  ...Array.from({ length: 7 }, (_, i) => 0x2028 + i),
  ...Array.from({ length: 4 }, (_, i) => 0x2066 + i),
].map((code) => String.fromCharCode(code));

test("characters that a terminal acts on are escaped, and the value stays the same", () => {
  for (const character of [...active, "\0", "\u001b", "\n"]) {
    const text = `a${character}b`;
    const event = { ...sampleEvent(1), source: text, data: { [text]: { name: text } } };
    const outbound = encodeEvent(event);
    const json = outbound.json.toString();
    assert.equal(json.includes(character), false, JSON.stringify(text));
    assert.deepEqual(JSON.parse(json), event);
    assert.deepEqual(JSON.parse(dataOf(outbound).toString()), event.data);
  }
});

test("all other characters are written as they are", () => {
  const others = ["\u007e", "\u00a0", "é", "\u061b", "\u200d", "\u2027", "\u202f", "\u206a", "😀"];
  for (const text of others) {
    const json = encodeEvent({ ...sampleEvent(1), data: { text } }).json.toString();
    assert.ok(json.includes(text), JSON.stringify(text));
  }
});

test("any text survives, and no active character is left in the JSON", () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom(...active), fc.string({ unit: "binary", maxLength: 1 })),
  });
  fc.assert(
    fc.property(text, (value) => {
      const json = encodeEvent({ ...sampleEvent(1), data: { value } }).json.toString();
      assert.equal(
        active.some((character) => json.includes(character)),
        false,
      );
      assert.deepEqual((JSON.parse(json) as { data: object }).data, { value });
    }),
  );
});

test("only an event above the limit is made smaller", () => {
  const event = sampleEvent(1);
  const { length } = encodeEvent(event).json;
  const shrink = () => ({ ...event, data: { small: true } });
  assert.deepEqual(eventOf(toOutbound(event, length, shrink)), event);
  assert.deepEqual(eventOf(toOutbound(event, length - 1, shrink)).data, { small: true });
});
