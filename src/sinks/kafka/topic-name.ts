import type { PlaceholderValues } from "../../events/destination.ts";
import { DestinationName } from "../destination-name.ts";
import { invalidUrl } from "../server-url.ts";

/** Longest name of a topic, in bytes; it has ASCII characters only. */
const maxTopicBytes = 249;

/** A topic's name, which may have placeholders. Throws a CertwireError when Kafka would refuse the name. */
export function topicName(text: string): DestinationName {
  const name = new DestinationName(text, /[^a-zA-Z0-9._-]/gu);
  if (!/^[a-zA-Z0-9._-]*$/.test(name.fixedText) || /^\.{0,2}$/.test(text)) {
    throw invalidUrl(
      "not the name of a topic",
      "A topic has up to 249 of a-z, A-Z, 0-9, dot, _ and -, and is not . or ..",
    );
  }
  if (name.longestBytes > maxTopicBytes) {
    throw invalidUrl(
      `the topic's name may have ${name.longestBytes} characters, and Kafka allows ${maxTopicBytes}`,
      "{kind} takes up to 21, {template} up to 100, {ca} up to 64.",
    );
  }
  return name;
}

/** The topic of an event with these values. */
export function fillTopic(name: DestinationName, values: PlaceholderValues): string {
  const topic = name.nameFor(values);
  // Kafka allows no topic of this name.
  return topic === "." || topic === ".." ? topic.replaceAll(".", "_") : topic;
}
