import { z } from "zod";
import { eventKinds } from "../events/event.ts";
import { kindsOf } from "../events/event-filter.ts";
import { didYouMean } from "./did-you-mean.ts";

const pattern = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((value, context) => {
    if (!/\p{Cc}/u.test(value)) return;
    const hint = String.raw`Write each backslash as \\: "CORP\\bob".`;
    context.addIssue({ code: "custom", message: "has a control character", params: { hint } });
  });

const kindPattern = pattern.superRefine((value, context) => {
  if (value === "" || /\p{Cc}/u.test(value) || kindsOf(value).length > 0) return;
  const near = didYouMean(value, eventKinds);
  const hint = near ? `Did you mean "${near}"?` : `Kinds are ${eventKinds.join(", ")}.`;
  context.addIssue({ code: "custom", message: "matches no kind of event", params: { hint } });
});

function patterns(each: z.ZodString, about: string) {
  return z.array(each).min(1).optional().describe(about);
}

/** What selects events: an event must fit each member that is there. */
export const selectorShape = {
  kind: patterns(kindPattern, "Kinds, such as `certificate.issued` or `request.*`."),
  template: patterns(pattern, "Names or OIDs of certificate templates."),
  requester: patterns(pattern, "Requesters as the CA names them, such as `CORP\\svc-*`."),
  ca: patterns(pattern, "Names of CAs, or their ids."),
};

/** True if an object has a member that selects events. */
export function hasSelector(value: object): boolean {
  return Object.keys(selectorShape).some((key) => key in value);
}

/** How an object without a selector is refused. */
export const noSelector = {
  error: "selects nothing: give kind, template, requester or ca",
  // An unknown key says enough.
  when: ({ issues }: { readonly issues: readonly unknown[] }) => issues.length === 0,
};

const condition = z.strictObject(selectorShape).refine(hasSelector, {
  ...noSelector,
  error: "is empty: give kind, template, requester or ca",
});

/** The keys of a sink's entry that choose its events. */
export const filterShape = {
  only: z
    .array(condition)
    .min(1)
    .optional()
    .describe(
      "Conditions, of which an event must meet one. Default: all events. Those about losses and the CA itself (`journal.gap`, `reconcile.finding`, `ca.*`) pass in any case.",
    ),
  except: z
    .array(condition)
    .min(1)
    .optional()
    .describe(
      "Conditions, of which an event must meet none. `journal.gap`, `reconcile.finding` and `ca.*` are left out only by a condition whose `kind` names them.",
    ),
};

const filterOptions = z.object(filterShape);

/** The conditions in an entry; other keys are ignored. Throws a ZodError on a value that is not valid. */
export function resolveFilter(entry: object): z.infer<typeof filterOptions> {
  return filterOptions.parse(entry);
}
