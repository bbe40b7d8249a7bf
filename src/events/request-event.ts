import type { ExitRecord } from "../exit/record.ts";
import { contentId } from "./content-id.ts";
import type { EventContent, EventOptions } from "./envelope.ts";
import type { EventKind } from "./event.ts";
import { Problems } from "./problems.ts";
import { PropertyGroups } from "./property-groups.ts";
import { requestData } from "./request-data.ts";

/**
 * An event about a request, its certificate or the CA itself: all but when it happened. `first`: members of `data` that
 * stand before the others; default none.
 */
export function requestEvent(
  record: ExitRecord,
  kind: EventKind,
  caId: string,
  options: EventOptions,
  first: Record<string, unknown> = {},
): EventContent {
  const problems = new Problems(record.problems);
  const groups = new PropertyGroups(problems, options.detail);
  const ca = groups.ca(caId, record.ca, kind === "ca.started" ? "whole" : "brief");
  const { requestId, subject, parts } = requestData(record, kind, groups, problems, options);
  const data = { ...first, ca, ...parts, ...groups.unknownMember, problems: problems.list };
  return { kind, caId, requestId, subject, contentId: contentId(kind, record), data };
}
