import type { ExitRecord } from "../exit/record.ts";
import type { Frame } from "../journal/frame.ts";
import type { CaIdentity, ResolvedCa } from "./ca-identity.ts";
import { crlContentId } from "./content-id.ts";
import { crlParts } from "./crl-data.ts";
import { type EventOptions, envelope } from "./envelope.ts";
import type { CertwireEvent } from "./event.ts";
import { kindOfRecord } from "./event-kind.ts";
import { Problems } from "./problems.ts";
import { PropertyGroups } from "./property-groups.ts";
import { requestEvent } from "./request-event.ts";

/** Index of a `ca.changed` event, after that of every CRL: the event comes from the frame of another one. */
const changedIndex = 65_534;

/**
 * The events of one record, at least one: of a CRL record one for each CRL that was published. The first one is
 * `ca.changed` if the CA has another certificate than before.
 */
export function buildEvents(
  frame: Frame,
  record: ExitRecord,
  identity: CaIdentity,
  options: EventOptions,
): CertwireEvent[] {
  const { id, previous } = identity.resolve(frame, record);
  const events = eventsOfRecord(frame, record, id, options);
  return previous ? [changedEvent(frame, record, { id, previous }, options), ...events] : events;
}

function eventsOfRecord(
  frame: Frame,
  record: ExitRecord,
  caId: string,
  options: EventOptions,
): CertwireEvent[] {
  const kind = kindOfRecord(record);
  const { time } = record;
  const notify = notifyData(record, kind === "ca.started" || options.detail === "full");
  if (kind !== "crl.issued") {
    const content = requestEvent(record, kind, caId, options, { notify });
    return [envelope(frame, content, { index: 0, time }, options)];
  }
  const problems = new Problems(record.problems);
  const groups = new PropertyGroups(problems, options.detail);
  const ca = groups.ca(caId, record.ca, "brief");
  const own = { notify, ca, ...groups.unknownMember };
  return crlParts(record, problems).map(({ index, subject, sha256, data: crlData }) => {
    const about = { subject, contentId: crlContentId(sha256) };
    const data = { ...own, ...crlData };
    return envelope(frame, { kind, caId, ...about, data }, { index, time }, options);
  });
}

/** Tells that the CA has another certificate: a renewal, or another CA in its place. */
function changedEvent(
  frame: Frame,
  record: ExitRecord,
  { id: caId, previous }: Required<ResolvedCa>,
  options: EventOptions,
): CertwireEvent {
  const { time } = record;
  const ofCa = record.problems.filter(
    ({ name }) => typeof name === "string" && name.startsWith("ca."),
  );
  const problems = new Problems(ofCa);
  const groups = new PropertyGroups(problems, options.detail);
  const ca = groups.ca(caId, record.ca, "whole");
  const data = {
    notify: notifyData(record, true),
    ca,
    previous: { id: previous.id, certificateSha256: previous.certificate },
    ...groups.unknownMember,
    problems: problems.list,
  };
  const place = { index: changedIndex, time };
  return envelope(frame, { kind: "ca.changed", caId, data }, place, options);
}

/** What the event says about the call of Notify itself. The process stays the same until the CA starts again. */
function notifyData(
  { event, context, processId, threadId }: ExitRecord,
  hasProcess: boolean,
): Record<string, unknown> {
  return hasProcess ? { event, context, processId, threadId } : { event, context, threadId };
}
