import assert from "node:assert/strict";
import { readEvent } from "../../../src/consumer/read-event.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import { attributesOf } from "../../../src/sinks/message-content.ts";
import { runCommand } from "../../integration/support/run-command.ts";
import type { GoldenEvent } from "../../support/golden-events.ts";
import type { BrokerMessage, MessageContent } from "./broker-messages.ts";

/** What an SDK understood of a message: a line of its program's output. */
export interface SdkAnswer {
  /** The instant that the SDK read from `time`, in ms since 1970. */
  readonly timeMs: number;
  /** All attributes except `time`, as texts. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The message that the SDK makes of the event, in the mode of the one that it read. */
  readonly again: MessageContent;
}

/** Runs an SDK's program: one message per line on its standard input, one answer per line on its output. */
export async function askProgram(
  command: string,
  args: readonly string[],
  messages: readonly BrokerMessage[],
): Promise<SdkAnswer[]> {
  const input = messages.map((message) => `${JSON.stringify(message)}\n`).join("");
  // Go compiles its own library first where nothing has been built before.
  const output = await runCommand(command, args, { input, timeoutMs: 600_000 });
  return output
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/**
 * Checks that an SDK understood each message as the event that was published, and that its own message of that event
 * holds the same attributes, data and instant. Returns the number of messages.
 */
export function assertUnderstood(
  golden: readonly GoldenEvent[],
  messages: readonly BrokerMessage[],
  answers: readonly SdkAnswer[],
): number {
  assert.equal(answers.length, messages.length);
  const byId = new Map(golden.map((each) => [each.event.id, each]));
  for (const [at, message] of messages.entries()) {
    const { name, event } = byId.get(message.id) ?? assert.fail(`no event ${message.id}`);
    const { timeMs, attributes, again } = answers[at] ?? assert.fail(name);
    const where = `${name} on ${message.broker}, ${message.mode}`;
    assert.equal(timeMs, Date.parse(event.time), where);
    assert.deepEqual(attributes, textAttributes(event), where);
    const contentType = again.headers["content-type"] ?? "";
    const isStructured = contentType.startsWith("application/cloudevents+json");
    assert.equal(isStructured, message.mode === "structured", where);
    const body = Buffer.from(again.body);
    assert.deepEqual(
      withInstant(readEvent({ headers: again.headers, body })),
      withInstant(event),
      where,
    );
  }
  return messages.length;
}

function textAttributes(event: CertwireEvent): Record<string, string> {
  const { time: _, ...texts } = Object.fromEntries(attributesOf(encodeEvent(event)));
  return { ...texts, datacontenttype: event.datacontenttype };
}

/** SDKs write `time` with more or fewer digits. */
function withInstant(event: CertwireEvent): object {
  return { ...event, time: Date.parse(event.time) };
}
