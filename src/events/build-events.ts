import type { ExitRecord } from "../exit/record.ts";
import type { Frame } from "../journal/frame.ts";
import type { CaIdentity } from "./ca-identity.ts";
import { crlParts } from "./crl-data.ts";
import { type EventOptions, envelope } from "./envelope.ts";
import type { CertwireEvent } from "./event.ts";
import { kindOfRecord } from "./event-kind.ts";
import { Problems } from "./problems.ts";
import { PropertyGroups } from "./property-groups.ts";
import { requestData } from "./request-data.ts";

/** The events of one record, at least one: of a CRL record one for each CRL that was published. */
export function buildEvents(
  frame: Frame,
  record: ExitRecord,
  identity: CaIdentity,
  options: EventOptions,
): CertwireEvent[] {
  const kind = kindOfRecord(record);
  const caId = identity.resolveId(frame, record);
  const problems = new Problems(record.problems);
  const groups = new PropertyGroups(problems);
  const common = { notify: notifyData(record), ca: groups.ca(caId, record.ca) };
  const { time } = record;
  if (kind === "crl.issued") {
    const own = Object.assign(common, unknownProperties(groups));
    return crlParts(record, problems).map(({ index, subject, data }) =>
      envelope(frame, { kind, index, caId, time, subject, data: { ...own, ...data } }, options),
    );
  }
  const { requestId, subject, parts } = requestData(record, kind, groups, problems, options);
  const data = Object.assign(common, parts, unknownProperties(groups), { problems: problems.list });
  return [envelope(frame, { kind, index: 0, caId, time, requestId, subject, data }, options)];
}

/** What the event says about the call of Notify itself. */
function notifyData({ event, context, processId, threadId }: ExitRecord): Record<string, unknown> {
  return { event, context, processId, threadId };
}

function unknownProperties({ unknown }: PropertyGroups): Record<string, unknown> {
  return unknown.length === 0 ? {} : { unknownProperties: unknown };
}
