/** The public face of the package: events, their types and their schemas. */
export { type CertwireEvent, type EventKind, eventKinds } from "./events/event.ts";
export { kindOf } from "./events/event-kind.ts";
export { type EventData, eventData } from "./events/schemas/event-data.ts";
export { isKind, type TypedEvent } from "./events/typed-event.ts";
