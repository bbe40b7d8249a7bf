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

/** A form in which the JSON Schemas are published, each in its own directory of docs/reference. */
interface Draft {
  readonly target: "draft-2020-12" | "draft-07";
  readonly directory: string;
  /** End of each `$id`: the plain one is what events name in `dataschema`. */
  readonly idSuffix: string;
}

const current: Draft = { target: "draft-2020-12", directory: "schemas", idSuffix: "" };

/** What the AsyncAPI document refers to: the only draft that every release of AsyncAPI's own parser reads. */
const draft07: Draft = {
  target: "draft-07",
  directory: "schemas/draft-07",
  idSuffix: ":draft-07",
};

/** The JSON Schemas of all events in both drafts, and the AsyncAPI document that refers to them. */
export function schemaDocuments(): GeneratedDocument[] {
  return [
    ...schemasOf(current),
    ...schemasOf(draft07),
    { path: "asyncapi.json", content: asyncApi() },
  ];
}

function schemasOf(draft: Draft): GeneratedDocument[] {
  return [
    {
      path: envelopePath(draft),
      content: jsonSchema(envelopeSchema, "urn:certwire:schema:envelope:v1", draft),
    },
    ...eventKinds.map((kind) => ({
      path: schemaPath(kind, draft),
      content: withDetail(jsonSchema(eventData[kind], schemaUri(kind), draft)) as object,
    })),
  ];
}

function envelopePath({ directory }: Draft): string {
  return `${directory}/envelope.json`;
}

function schemaPath(kind: EventKind, { directory }: Draft): string {
  return `${directory}/${kind}.v1.json`;
}

function jsonSchema(schema: z.ZodType, id: string, { target, idSuffix }: Draft): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target, io: "input" });
  return { $schema, $id: `${id}${idSuffix}`, ...rest };
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
      schemaFormat: "application/schema+json;version=draft-07",
      schema: {
        allOf: [
          { $ref: envelopePath(draft07) },
          { type: "object", properties: { data: { $ref: schemaPath(kind, draft07) } } },
        ],
      },
    },
  };
}
