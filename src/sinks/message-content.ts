import type { OutboundEvent } from "../events/outbound-event.ts";

/** Content type of an event in structured mode. */
export const structuredContentType = "application/cloudevents+json";

/** The attributes of an event as text, for the headers of binary mode. */
export function attributesOf({ attributes }: OutboundEvent): [name: string, value: string][] {
  const texts: [string, string][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (name !== "datacontenttype") texts.push([name, String(value)]);
  }
  return texts;
}

/** The data of an event as UTF-8 JSON, the body of binary mode: a view of the part of `json` that holds it. */
export function dataOf({ json, dataStart }: OutboundEvent): Buffer {
  return json.subarray(dataStart, json.length - 1);
}
