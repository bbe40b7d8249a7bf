import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel, ConsumeMessage } from "amqplib";
import fc from "fast-check";
import { Acknowledgements } from "../../../src/consumer/rabbitmq/acknowledgements.ts";

/** Messages that wait for their acknowledgement, as a broker keeps them. */
function fakeChannel(count: number) {
  const unacknowledged = new Set(Array.from({ length: count }, (_, at) => at + 1));
  let commands = 0;
  const unknown: number[] = [];
  const ack = ({ fields: { deliveryTag } }: ConsumeMessage, allUpTo = false): void => {
    commands += 1;
    // The broker would close the channel.
    if (!unacknowledged.has(deliveryTag)) unknown.push(deliveryTag);
    for (const tag of unacknowledged) {
      if (tag === deliveryTag || (allUpTo && tag < deliveryTag)) unacknowledged.delete(tag);
    }
  };
  return {
    channel: { ack } as unknown as Channel,
    unacknowledged,
    unknown,
    commands: () => commands,
  };
}

function messageWith(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}

test("in any order of handling, exactly the handled messages are acknowledged, each once", () => {
  const tags = Array.from({ length: 30 }, (_, at) => at + 1);
  const order = fc.shuffledSubarray(tags);
  fc.assert(
    fc.property(
      order,
      fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
      (done, flushes) => {
        const { channel, unacknowledged, unknown } = fakeChannel(tags.length);
        const acknowledgements = new Acknowledgements(channel);
        for (const [at, tag] of done.entries()) {
          acknowledgements.add(messageWith(tag));
          if (flushes[at]) acknowledgements.flush();
        }
        acknowledgements.flush();
        assert.deepEqual(unknown, []);
        assert.deepEqual(
          [...unacknowledged],
          tags.filter((tag) => !done.includes(tag)),
        );
      },
    ),
  );
});

test("neighbours are acknowledged in one", () => {
  const { channel, commands, unacknowledged } = fakeChannel(20);
  const acknowledgements = new Acknowledgements(channel);
  for (let tag = 20; tag >= 1; tag -= 1) acknowledgements.add(messageWith(tag));
  acknowledgements.flush();
  assert.equal(unacknowledged.size, 0);
  assert.equal(commands(), 1);
});

test("after the channel is lost nothing is acknowledged", () => {
  const { channel, commands } = fakeChannel(3);
  const acknowledgements = new Acknowledgements(channel);
  acknowledgements.add(messageWith(1));
  acknowledgements.lose();
  acknowledgements.add(messageWith(2));
  acknowledgements.flush();
  assert.equal(commands(), 0);
});
