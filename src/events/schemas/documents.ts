import { z } from "zod";
import { schemaUri } from "../envelope.ts";
import { type EventKind, eventKinds } from "../event.ts";
import { envelopeSchema } from "./attributes.ts";
import { withDetail } from "./detail.ts";
import { eventData } from "./event-data.ts";

/** A generated document: its path in docs/reference, and its content. */
export interface GeneratedDocument {
  readonly path: string;
  readonly content: object;
}

/** The JSON Schemas of all events, and the AsyncAPI document that refers to them. */
export function schemaDocuments(): GeneratedDocument[] {
  return [
    {
      path: "schemas/envelope.json",
      content: jsonSchema(envelopeSchema, "urn:certwire:schema:envelope:v1"),
    },
    ...eventKinds.map((kind) => ({
      path: schemaPath(kind),
      content: withDetail(jsonSchema(eventData[kind], schemaUri(kind))) as object,
    })),
    { path: "asyncapi.json", content: asyncApi() },
  ];
}

function schemaPath(kind: EventKind): string {
  return `schemas/${kind}.v1.json`;
}

function jsonSchema(schema: z.ZodType, $id: string): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-2020-12", io: "input" });
  return { $schema, $id, ...rest };
}

/** One channel with all events; the configuration decides which topic or exchange that is. */
function asyncApi(): object {
  const messages = Object.fromEntries(eventKinds.map((kind) => [kind, message(kind)]));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Certwire events",
      version: "1",
      description:
        "Everything a Microsoft AD CS certification authority does, as CloudEvents 1.0. Delivery is at least once; ids stay the same on retry, restart and replay.",
      license: { name: "Apache-2.0" },
    },
    defaultContentType: "application/cloudevents+json",
    channels: {
      events: {
        address: null,
        description: "The Kafka topic, RabbitMQ exchange or file that the configuration names.",
        messages: Object.fromEntries(
          eventKinds.map((kind) => [kind, { $ref: `#/components/messages/${kind}` }]),
        ),
      },
    },
    operations: {
      publish: {
        action: "send",
        channel: { $ref: "#/channels/events" },
        summary: "Certwire publishes every event of the CA, in order per partition key.",
      },
    },
    components: { messages },
  };
}

function message(kind: EventKind): object {
  return {
    name: kind,
    title: kind,
    summary: eventData[kind].description,
    contentType: "application/cloudevents+json",
    payload: {
      // The one version of JSON Schema that every release of the reference parser accepts.
      schemaFormat: "application/schema+json;version=draft-07",
      schema: {
        allOf: [
          { $ref: "schemas/envelope.json" },
          { type: "object", properties: { data: { $ref: schemaPath(kind) } } },
        ],
      },
    },
  };
}
