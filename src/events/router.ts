import type { Destination, Destinations, PlaceholderValues } from "./destination.ts";
import type { CertwireEvent, EventKind } from "./event.ts";
import { type EventCondition, meetsCondition } from "./event-filter.ts";
import { kindOf } from "./event-kind.ts";
import { type FilterFacts, filterFacts } from "./filter-facts.ts";
import { isReplacedInPart, problemsOf } from "./redaction/redactor.ts";

/** Kinds whose template may be a name that the requester made up, since no policy of the CA has accepted it. */
const claimsOnly: ReadonlySet<EventKind> = new Set([
  "request.denied",
  "request.failed",
  "ca.unrecognized",
]);

/** Chooses the destination of each event of a sink: that of the first route whose condition it meets, or the default. */
export class Router {
  readonly #conditions: readonly EventCondition[];
  readonly #destinations: Destinations;

  /** `conditions`: one for each of the routes in `destinations`. */
  constructor(conditions: readonly EventCondition[], destinations: Destinations) {
    this.#conditions = conditions;
    this.#destinations = destinations;
  }

  /**
   * The destination of an event. `shown` is the same event as the sink shows it: a name must not say what the sink
   * redacts, while a condition compares what was there before. The names of the CA and of its templates count as
   * redacted only if the options say so: a requester who has the same name as one of them does not choose the destination.
   */
  destinationOf(event: CertwireEvent, shown: CertwireEvent): Destination {
    const { routes, fallback, usesTemplateOrCa } = this.#destinations;
    if (routes.length === 0 && !usesTemplateOrCa) return fallback({ kind: kindOf(event) });
    const facts = filterFacts(event);
    const fitting = this.#conditions.findIndex((condition) => meetsCondition(condition, facts));
    const fill = routes[fitting] ?? fallback;
    if (!usesTemplateOrCa) return fill({ kind: facts.kind });
    return fill(valuesOf(shown === event ? facts : filterFacts(asNamed(event, shown))));
  }
}

/** What names may use: the event as it was, and as problems what the options redact. */
function asNamed(event: CertwireEvent, shown: CertwireEvent): CertwireEvent {
  const before = new Set(
    problemsOf(event)
      .filter(isReplacedInPart)
      .map(({ property }) => property),
  );
  const problems = problemsOf(shown).filter(
    (problem) => !isReplacedInPart(problem) || before.has(problem.property),
  );
  return { ...event, data: { ...event.data, problems } };
}

function valuesOf({ kind, issuedTemplate, ca }: FilterFacts): PlaceholderValues {
  const template = claimsOnly.has(kind) ? undefined : issuedTemplate.texts[0];
  return { kind, template, ca: ca.texts[0] };
}
