import { z } from "zod";
import type { EventCondition } from "../events/event-filter.ts";
import { Router } from "../events/router.ts";
import type { ConfiguredSink, SinkKind } from "../sinks/sink-kind.ts";
import { hasSelector, noSelector, selectorShape } from "./filter-options.ts";

/** Adds the key that chooses where each event goes to the schema of an entry; none where there is one destination. */
export function withRoutes<Schema extends z.ZodObject>(schema: Schema, { route }: SinkKind) {
  if (route === undefined) return schema;
  const entry = route.safeExtend(selectorShape).refine(hasSelector, noSelector);
  const routes = z
    .array(entry)
    .min(1)
    .optional()
    .describe(
      "Routes, of which an event takes the first whose condition it meets. Default: all events go where the URL says.",
    );
  // The type that the caller knows is that without the key.
  return schema.safeExtend({ routes }) as unknown as Schema;
}

const routes = z.object({ routes: z.array(z.object(selectorShape)).default([]) });

/** The router of a configured sink, if its kind has destinations to choose from. */
export function resolveRouter(entry: object, { destinations }: ConfiguredSink): Router | undefined {
  if (destinations === undefined) return undefined;
  const conditions: EventCondition[] = routes.parse(entry).routes;
  return new Router(conditions, destinations);
}
