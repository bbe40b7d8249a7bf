import type { Message } from "kafkajs";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import type { ContentMode } from "../broker-options.ts";
import { attributesOf, dataOf, structuredContentType } from "../message-content.ts";

const structuredHeaders = { "content-type": structuredContentType };

/**
 * The Kafka record of an event, following the Kafka binding of CloudEvents. Its timestamp is the time of
 * publishing: retention and the broker's timestamp limits must not depend on the CA's clock.
 */
export function toMessage(event: OutboundEvent, partition: number, mode: ContentMode): Message {
  const key = event.partitionKey;
  if (mode === "structured") {
    return { key, partition, value: event.json, headers: structuredHeaders };
  }
  const headers: Record<string, string> = { "content-type": event.attributes.datacontenttype };
  for (const [name, value] of attributesOf(event)) headers[`ce_${name}`] = value;
  return { key, partition, value: dataOf(event), headers };
}
