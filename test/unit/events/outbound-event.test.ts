import assert from "node:assert/strict";
import { test } from "node:test";
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

test("only an event above the limit is made smaller", () => {
  const event = sampleEvent(1);
  const { length } = encodeEvent(event).json;
  const shrink = () => ({ ...event, data: { small: true } });
  assert.deepEqual(eventOf(toOutbound(event, length, shrink)), event);
  assert.deepEqual(eventOf(toOutbound(event, length - 1, shrink)).data, { small: true });
});
