import type { OutboundEvent } from "./sink.ts";

/** Content type of an event in structured mode. */
export const structuredContentType = "application/cloudevents+json";

/** Precedes the data; inside a JSON string the quotes would be escaped. */
const dataMember = ',"data":';

/** The attributes of an event as text, for the headers of binary mode. */
export function attributesOf({ attributes }: OutboundEvent): [name: string, value: string][] {
  const texts: [string, string][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (name !== "datacontenttype") texts.push([name, String(value)]);
  }
  return texts;
}

/** The data of an event as UTF-8 JSON, the body of binary mode: a view of the part of `json` that holds it. */
export function dataOf({ json }: OutboundEvent): Buffer {
  const start = json.indexOf(dataMember);
  if (start < 0) throw new TypeError("an event without data");
  return json.subarray(start + dataMember.length, json.length - 1);
}
