import type { CertwireEvent } from "../exit/event.ts";

/** Content type of an event in structured mode. */
export const structuredContentType = "application/cloudevents+json";

/** The attributes of an event as text, for the headers of binary mode. */
export function attributesOf(event: CertwireEvent): [name: string, value: string][] {
  const attributes: [string, string][] = [];
  for (const [name, value] of Object.entries(event)) {
    if (name === "data" || name === "datacontenttype") continue;
    attributes.push([name, String(value)]);
  }
  return attributes;
}

/** The data of an event as UTF-8 JSON, the body of binary mode. */
export function dataOf(event: CertwireEvent): Buffer {
  return Buffer.from(JSON.stringify(event.data));
}
