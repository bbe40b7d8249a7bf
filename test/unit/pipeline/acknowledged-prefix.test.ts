import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as assertProperty, infiniteStream, nat, property } from "fast-check";
import { AcknowledgedPrefix } from "../../../src/pipeline/acknowledged-prefix.ts";
import { samplePosition } from "../../support/sample-events.ts";
import { scaled } from "../../support/scale.ts";

test("the position moves only over an unbroken run of finished records from the start", () => {
  const prefix = new AcknowledgedPrefix();
  const tickets = [1, 2, 3].map((n) => prefix.add(samplePosition(n), 1));
  assert.equal(prefix.position, null);
  prefix.acknowledge(tickets[1]!);
  assert.equal(prefix.position, null, "the second alone moves nothing");
  assert.equal(prefix.outstanding, 3);
  prefix.acknowledge(tickets[0]!);
  assert.deepEqual(prefix.position, samplePosition(2));
  prefix.acknowledge(tickets[2]!);
  assert.deepEqual(prefix.position, samplePosition(3));
  assert.equal(prefix.outstanding, 0);
});

test("it is reported each time that the position has moved, and no other time", () => {
  let moves = 0;
  const prefix = new AcknowledgedPrefix(() => {
    moves += 1;
  });
  const tickets = [1, 2].map((n) => prefix.add(samplePosition(n), 1));
  prefix.acknowledge(tickets[1]!);
  assert.equal(moves, 0);
  prefix.acknowledge(tickets[0]!);
  assert.equal(moves, 1);
  prefix.add(samplePosition(3), 0);
  assert.equal(moves, 2);
});

test("a record with several events is finished when the last of them is", () => {
  const prefix = new AcknowledgedPrefix();
  const ticket = prefix.add(samplePosition(1), 2);
  prefix.acknowledge(ticket);
  assert.equal(prefix.position, null);
  prefix.acknowledge(ticket);
  assert.deepEqual(prefix.position, samplePosition(1));
});

test("a record without events is passed as soon as those before it are", () => {
  const prefix = new AcknowledgedPrefix();
  prefix.add(samplePosition(1), 0);
  assert.deepEqual(prefix.position, samplePosition(1));
  const ticket = prefix.add(samplePosition(2), 1);
  prefix.add(samplePosition(3), 0);
  assert.deepEqual(prefix.position, samplePosition(1));
  assert.equal(prefix.outstanding, 2, "it counts until it is passed");
  prefix.acknowledge(ticket);
  assert.deepEqual(prefix.position, samplePosition(3));
});

test("in any order of acknowledgements the position is that of the longest finished start", () => {
  const records = array(nat({ max: 3 }), { minLength: 1, maxLength: 60 });
  assertProperty(
    property(records, infiniteStream(nat()), (counts, choices) => {
      const prefix = new AcknowledgedPrefix();
      const tickets = counts.map((count, at) => prefix.add(samplePosition(at + 1), count));
      const open = tickets.flatMap((ticket, at) =>
        Array.from({ length: counts[at]! }, () => ticket),
      );
      const remaining = [...counts];
      while (open.length > 0) {
        const [ticket] = open.splice(choices.next().value! % open.length, 1);
        prefix.acknowledge(ticket!);
        remaining[ticket!.ordinal]! -= 1;
        const firstOpen = remaining.findIndex((count) => count > 0);
        const done = firstOpen === -1 ? counts.length : firstOpen;
        assert.deepEqual(prefix.position, done === 0 ? null : samplePosition(done));
      }
      assert.equal(prefix.outstanding, 0);
    }),
  );
});

test("long use keeps no finished records", () => {
  const prefix = new AcknowledgedPrefix();
  const count = scaled(10_000);
  for (let n = 1; n <= count; n += 1) prefix.acknowledge(prefix.add(samplePosition(n), 1));
  assert.deepEqual(prefix.position, samplePosition(count));
  assert.equal(prefix.oldest, undefined);
});
