import type { Destination, Destinations, PlaceholderValues } from "./destination.ts";
import type { CertwireEvent, EventKind } from "./event.ts";
import { type EventCondition, meetsCondition } from "./event-filter.ts";
import { type FilterFacts, filterFacts } from "./filter-facts.ts";

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
  /** The one destination of a sink without routes and placeholders. */
  readonly #only: Destination | undefined;

  /** `conditions`: one for each of the routes in `destinations`. */
  constructor(conditions: readonly EventCondition[], destinations: Destinations) {
    this.#conditions = conditions;
    this.#destinations = destinations;
    const isOne = conditions.length === 0 && !destinations.hasPlaceholders;
    this.#only = isOne ? destinations.fallback({ kind: "journal.gap" }) : undefined;
  }

  /**
   * The destination of an event. `shown` is the same event as the sink shows it: a name must not say what the sink
   * redacts, while a condition compares what was there before.
   */
  destinationOf(event: CertwireEvent, shown: CertwireEvent): Destination {
    if (this.#only !== undefined) return this.#only;
    const facts = filterFacts(event);
    const { routes, fallback, hasPlaceholders } = this.#destinations;
    const fitting = this.#conditions.findIndex((condition) => meetsCondition(condition, facts));
    const fill = routes[fitting] ?? fallback;
    if (!hasPlaceholders) return fill({ kind: facts.kind });
    return fill(valuesOf(shown === event ? facts : filterFacts(shown)));
  }
}

function valuesOf({ kind, issuedTemplate, ca }: FilterFacts): PlaceholderValues {
  const template = claimsOnly.has(kind) ? undefined : issuedTemplate.texts[0];
  return { kind, template, ca: ca.texts[0] };
}
