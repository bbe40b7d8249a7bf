// A fifth kind of sink, as CONTRIBUTING describes a new one, but in a single file: events go to shelves in the
// memory of this process.
import { z } from "zod";
import { CertwireError } from "../../src/errors/certwire-error.ts";
import type { OutboundEvent } from "../../src/events/outbound-event.ts";
import {
  commonShape,
  type ResolvedSinkOptions,
  resolveCommon,
} from "../../src/sinks/common-options.ts";
import { type ResolveContext, secretReference } from "../../src/sinks/secret-reference.ts";
import type { DestinationFinding, PublishOutcome, Sink, SinkLimits } from "../../src/sinks/sink.ts";
import { defineSinkKind } from "../../src/sinks/sink-kind.ts";

/** Where a toy sink puts its events. */
interface Shelf {
  readonly events: string[];
  isBroken: boolean;
}

const shelves = new Map<string, Shelf>();

/** The shelf of a URL `toy:name`; it is made when it is first asked for. */
export function shelfOf(url: string): Shelf {
  const shelf = shelves.get(url) ?? { events: [], isBroken: false };
  shelves.set(url, shelf);
  return shelf;
}

const toySinkOptions = z.strictObject({
  ...commonShape({ batchEvents: 10, batchBytes: 100_000, lingerMs: 0, maxEventBytes: 20_000 }),
  url: z.string().describe("`toy:` and the name of a shelf."),
  height: z.enum(["low", "high"]).default("low").describe("Height of the shelf."),
  password: secretReference.optional().describe("Password of the shelf."),
});

/** Options of a toy sink, resolved. */
interface ResolvedToySinkOptions extends ResolvedSinkOptions {
  readonly url: string;
  readonly height: "low" | "high";
  readonly password: string;
}

function resolveToySink(
  entry: z.infer<typeof toySinkOptions>,
  context: ResolveContext,
): ResolvedToySinkOptions {
  const { url, height, password } = entry;
  return {
    ...resolveCommon(entry),
    url,
    height,
    password: password === undefined ? "" : context.secret(password),
  };
}

class ToySink implements Sink {
  readonly kind = "toy";
  readonly lanes = 2;
  readonly name: string;
  readonly limits: SinkLimits;
  readonly findings: readonly DestinationFinding[];
  readonly #shelf: Shelf;

  constructor({ name, limits, url, height }: ResolvedToySinkOptions) {
    this.name = name;
    this.limits = limits;
    const dust = { message: "dust settles on high shelves", hint: "Dust it once a year." };
    this.findings = height === "high" ? [dust] : [];
    this.#shelf = shelfOf(url);
  }

  async open(): Promise<void> {
    if (this.#shelf.isBroken) throw fallen();
  }

  laneOf({ partitionKey }: OutboundEvent): number {
    return partitionKey.length % this.lanes;
  }

  async publish(_lane: number, batch: readonly OutboundEvent[]): Promise<PublishOutcome> {
    if (this.#shelf.isBroken)
      return { acknowledged: 0, failure: { kind: "reset", cause: fallen() } };
    this.#shelf.events.push(...batch.map(({ json }) => json.toString("utf8")));
    return { acknowledged: batch.length };
  }

  async close(): Promise<void> {}
}

function fallen(): CertwireError {
  return new CertwireError("CERTWIRE_SINK_UNREACHABLE", "the shelf has fallen down");
}

/** The kind, for the end of the registry's list. */
export const toy = defineSinkKind({
  kind: "toy",
  schemes: ["toy"],
  options: toySinkOptions,
  resolve: resolveToySink,
  inspect: ({ height }) =>
    height === "low"
      ? []
      : [
          {
            path: ["height"],
            isWarning: true,
            message: "children cannot reach it",
            hint: "Use low.",
          },
        ],
  destination: ({ url }) => url,
  create: async (options) => new ToySink(options),
});
