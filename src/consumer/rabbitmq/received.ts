import type { ConsumeMessage } from "amqplib";
import { type ReceivedMessage, textHeaders } from "../message.ts";

/** An AMQP message in the form of all brokers. */
export function toReceived(message: ConsumeMessage, place: string): ReceivedMessage {
  const { content, fields, properties } = message;
  const contentType: unknown = properties.contentType;
  return {
    place,
    key: fields.routingKey,
    headers: textHeaders({ ...properties.headers, "content-type": contentType }),
    body: content,
    isRedelivered: fields.redelivered,
  };
}
