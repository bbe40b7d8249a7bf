import type { ExitRecord } from "../exit/record.ts";
import { contentId } from "./content-id.ts";
import type { EventContent, EventOptions } from "./envelope.ts";
import type { EventKind } from "./event.ts";
import { Problems } from "./problems.ts";
import { PropertyGroups } from "./property-groups.ts";
import { putRequestData } from "./request-data.ts";

/**
 * An event about a request, its certificate or the CA itself: all but when it happened. `data`: gets its
 * members, after those that it has; default none.
 */
export function requestEvent(
  record: ExitRecord,
  kind: EventKind,
  caId: string,
  options: EventOptions,
  data: Record<string, unknown> = {},
): EventContent {
  const problems = new Problems(record.problems);
  const groups = new PropertyGroups(problems, options.detail);
  data["ca"] = groups.ca(caId, record.ca, kind === "ca.started" ? "whole" : "brief");
  const about = putRequestData(data, record, kind, groups, problems, options);
  Object.assign(data, groups.unknownMember);
  data["problems"] = problems.list;
  const { requestId, subject, certificateSha1 } = about;
  return {
    kind,
    caId,
    requestId,
    subject,
    contentId: contentId(kind, record, certificateSha1),
    data,
  };
}
