import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type CertwireEvent, toSplunkCim } from "./certwire.ts";
import { type Answer, isPassing, post } from "./http.ts";
import { readSecret, type SplunkSettings } from "./settings.ts";
import { accepted, forAll, type Outcome, type Siem } from "./siem.ts";

/** Codes of the collector for an event that it cannot read: data format, no event, blank event, indexed fields. */
const invalidEvent: ReadonlySet<unknown> = new Set([6, 12, 13, 15]);

/** How acknowledgement is awaited. */
export interface AckWaiting {
  /** Pause before each question, in ms. Default 1000. */
  readonly everyMs?: number;
  /** Longest wait, in ms. Default 300 000. */
  readonly withinMs?: number;
  /** Ends the wait. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/**
 * Splunk's HTTP Event Collector, with the fields of the Common Information Model. With `acknowledgement` an event is
 * accepted once Splunk has indexed it; without, once the collector has taken it.
 */
export function splunk(settings: SplunkSettings, waiting: AckWaiting = {}): Siem {
  const { everyMs = 1000, withinMs = 300_000, signal } = waiting;
  const collector = `${settings.url.replace(/\/$/, "")}/services/collector`;
  // Ids of acknowledgement belong to a channel, and each client has one of its own.
  const channel = randomUUID();
  const headers = () => ({
    "content-type": "application/json",
    // Read for each request, so that a renewed token in a file is used.
    authorization: `Splunk ${readSecret(settings.token)}`,
    ...(settings.acknowledgement && { "x-splunk-request-channel": channel }),
  });
  // A secret that is missing ends the program at its start.
  headers();

  async function isIndexed(ackId: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    const body = JSON.stringify({ acks: [ackId] });
    while (performance.now() < deadline) {
      await delay(everyMs, undefined, signal && { signal });
      // A question without an answer is asked again.
      const answer = await post(`${collector}/ack`, headers(), body).catch(() => undefined);
      const { acks } = Object(answer?.json) as { acks?: Readonly<Record<string, boolean>> };
      if (acks?.[String(ackId)] === true) return true;
    }
    return false;
  }

  return {
    encode: (event) => encode(event, settings),
    send: async (parts) => {
      const answer = await post(`${collector}/event`, headers(), parts.join(""));
      const [outcome, ackId] = outcomeOf(answer);
      if (outcome.kind !== "accepted" || !settings.acknowledgement) return forAll(parts, outcome);
      if (ackId === undefined) return forAll(parts, noAcknowledgement);
      if (await isIndexed(ackId)) return forAll(parts, accepted);
      const reason = `not indexed within ${withinMs} ms`;
      return forAll(parts, { kind: "later", reason, needsPerson: false });
    },
  };
}

function encode(event: CertwireEvent, { index, source, sourcetype }: SplunkSettings): string {
  const { _time: time, ...fields } = toSplunkCim(event);
  const { dvc: host } = fields;
  return JSON.stringify({ time, host, source, sourcetype, index, event: { id: event.id, ...fields } });
}

const noAcknowledgement: Outcome = {
  kind: "later",
  reason: "the answer has no ackId: the token has no indexer acknowledgement",
  needsPerson: true,
};

/** What the collector says of all events of a request, and the id by which it acknowledges them. */
function outcomeOf({ status, text, json }: Answer): [outcome: Outcome, ackId?: number] {
  const { code, ackId } = Object(json) as { code?: unknown; ackId?: number };
  if (status === 200 && code === 0) return ackId === undefined ? [accepted] : [accepted, ackId];
  const reason = `HTTP ${status} ${text.slice(0, 500)}`.trim();
  // `invalid-event-number` counts from 0 with some codes and from 1 with others, so it does not say which event it is.
  if (status === 413 || (status === 400 && invalidEvent.has(code))) {
    return [{ kind: "divide", reason }];
  }
  return [{ kind: "later", reason, needsPerson: !isPassing(status) }];
}
