import type { Options } from "amqplib";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import type { ContentMode } from "../broker-options.ts";
import { attributesOf, dataOf, structuredContentType } from "../message-content.ts";

/** An event as an AMQP message. */
export interface AmqpMessage {
  readonly content: Buffer;
  readonly options: Options.Publish;
}

/**
 * The message of an event. CloudEvents has no binding for AMQP 0-9-1; binary mode follows that of Knative, with
 * headers `ce-<attribute>`.
 */
export function toAmqpMessage(event: OutboundEvent, mode: ContentMode): AmqpMessage {
  const { id, attributes, json } = event;
  const isBinary = mode === "binary";
  const common: Options.Publish = {
    persistent: true,
    mandatory: true,
    messageId: id,
    type: attributes.type,
    timestamp: Math.floor(Date.parse(attributes.time) / 1000),
    appId: "certwire",
    contentType: isBinary ? attributes.datacontenttype : structuredContentType,
  };
  return {
    content: isBinary ? dataOf(event) : json,
    options: isBinary ? { ...common, headers: headersOf(event) } : common,
  };
}

function headersOf(event: OutboundEvent): Record<string, string> {
  return Object.fromEntries(attributesOf(event).map(([name, value]) => [`ce-${name}`, value]));
}
