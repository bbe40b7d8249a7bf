/** The public face of the package: events, their types and their schemas. */
export { type CertwireEvent, type EventKind, eventKinds } from "./exit/event.ts";
export { kindOf } from "./exit/event-kind.ts";
export { type EventData, eventData } from "./exit/schemas/event-data.ts";
export { isKind, type TypedEvent } from "./exit/typed-event.ts";
