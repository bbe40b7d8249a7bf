import type { CertwireEvent } from "../../events/event.ts";
import type { Selection } from "../../events/selection.ts";

/**
 * Where events are published: an entry of `sinks` in the configuration, or only its URL. Every option of the sink works,
 * such as `only`, `redact` and `routes`; `name` has a default.
 */
export type PublishTarget =
  | string
  | {
      /**
       * `kafka://host:9092/topic`, `amqp://user@host:5672/?exchange=certwire`, `stdout:` or `file:directory`; the last
       * one needs the native addon, and `writeRecording` does not.
       */
      readonly url: string;
      /** Password of the URL's user: the text itself, or a reference as in the configuration. */
      readonly password?: string | { readonly file: string } | { readonly environment: string };
      readonly [option: string]: unknown;
    };

/** How events are published. */
export interface PublishOptions {
  /** Longest time for all events, in ms. Default 60 000. */
  readonly timeoutMs?: number;
}

/** What of a recording is published, and how. */
export interface ReplayOptions extends PublishOptions, Selection {}

/**
 * Publishes events as the service does, by the same sinks and in the same order per partition key. Resolves with their
 * number once the broker has confirmed all of them; an event that the target's `only` or `except` leaves out does not
 * count. Rejects with CERTWIRE_TESTING_PUBLISH if the broker refused an event, cannot route it, or was not ready in time,
 * and with CERTWIRE_TESTING_OPTIONS for a target that is invalid.
 *
 * ```js
 * import { publish, testCa } from "certwire/testing";
 *
 * const ca = testCa();
 * ca.issue();
 * await publish(ca.events, "stdout:");
 * ```
 */
export async function publish(
  events: Iterable<CertwireEvent> | AsyncIterable<CertwireEvent>,
  target: PublishTarget,
  options: PublishOptions = {},
): Promise<number> {
  const { send } = await import("./send.ts");
  return send(
    (async function* () {
      yield* events;
    })(),
    target,
    { selection: {}, ...options },
  );
}

/**
 * Publishes the events of a recording, an NDJSON file as the file sink and `certwire journal export` write it, marked as
 * replayed. `from`, `to`, `requestIds` and `types` choose among them. Resolves and rejects as `publish` does, and with
 * CERTWIRE_EVENTS_UNREADABLE or CERTWIRE_EVENTS_INVALID for the file.
 */
export async function replay(
  recording: string,
  target: PublishTarget,
  { timeoutMs, ...selection }: ReplayOptions = {},
): Promise<number> {
  const { send } = await import("./send.ts");
  const { eventsOfFile } = await import("../../sources/event-file.ts");
  const reading = new AbortController();
  try {
    const events = eventsOfFile(recording, { skip: () => undefined }, reading.signal);
    return await send(events, target, { selection, ...(timeoutMs !== undefined && { timeoutMs }) });
  } finally {
    reading.abort();
  }
}
