import type { Logger } from "pino";
import type { z } from "zod";
import type { Destination, Destinations } from "../events/destination.ts";
import type { ServerDate } from "../kafka/server-date.ts";
import {
  type BrokerCertificate,
  type BrokerServers,
  brokerCertificates,
} from "./broker-certificate.ts";
import type { commonShape, ResolvedSinkOptions } from "./common-options.ts";
import type { ResolveContext } from "./secret-reference.ts";
import type { Sink } from "./sink.ts";
import type { CertificateEnd } from "./tls-files.ts";

/** Schema of a sink's entry in the configuration: a strict object with `url` and the common keys. */
export type SinkSchema = z.ZodObject<
  ReturnType<typeof commonShape> & { url: z.ZodType<string> },
  z.core.$strict
>;

/** Schema of where the events of one entry of `routes` go: a strict object without the selectors. */
export type RouteSchema = z.ZodObject<z.core.$ZodLooseShape, z.core.$strict>;

/** Something wrong or doubtful in the options of one sink. */
export interface SinkFinding {
  /** Path of the option below the sink's entry, such as `["tls", "caFile"]`. */
  readonly path: readonly (string | number)[];
  /** True when the sink works all the same. */
  readonly isWarning: boolean;
  /** Never holds a secret. */
  readonly message: string;
  readonly hint: string;
}

/** Everything the rest of Certwire needs to know about one kind of sink; see `defineSinkKind`. */
export interface SinkKindDefinition<
  Schema extends SinkSchema,
  Options extends ResolvedSinkOptions,
> {
  /** Name of the kind, such as `kafka`. */
  readonly kind: string;
  /** Schemes of the URLs that choose this kind, without the colon. */
  readonly schemes: readonly string[];
  /** Schema of the entry; `configuration.md` and `config/schema.json` are generated from it. */
  readonly options: Schema;
  /** Schema of where the events of a route go. Default: events of this kind of sink have one destination. */
  readonly route?: RouteSchema;
  /** Every destination of a sink with `routes`. */
  destinations?(options: Options): Destinations;
  /** The destination of one event, for people to read. */
  place?(destination: Destination): string;
  /** Makes paths absolute. Secrets are read each time the sink connects. */
  resolve(entry: z.output<Schema>, context: ResolveContext): Options;
  /**
   * What `certwire check` reports without a connection: files that cannot be used, passwords in clear text.
   * Certificates are checked against the time `now`, in ms since 1970. Default: nothing.
   */
  inspect?(options: Options, now: number): readonly SinkFinding[];
  /** When the certificates that a sink uses end. Default: it uses none. */
  certificates?(options: Options): readonly CertificateEnd[];
  /** The servers that a sink connects to first. Default: it connects to none. */
  servers?(options: Options): BrokerServers;
  /**
   * The time of a server that the sink needs, asked for within a time in ms. `undefined` if there is none that says it.
   * Rejects with the error of the connection. Default: there is none.
   */
  serverTime?(options: Options, timeoutMs: number): Promise<ServerTime | undefined>;
  /** Where the events go, for people to read. Never holds a secret. */
  destination(options: Options): string;
  /**
   * What decides, beside the kind of an event and its destination, whether something there takes it. Default: it takes all
   * events, and no failure is `unroutable`.
   */
  routing?(options: Options): string;
  /**
   * For a destination that only one process may write to: a separate one below it, called `name`. Default:
   * the same destination, since a broker accepts any number of writers.
   */
  apart?(options: Options, name: string): Options;
  /** How long a stopped replay waits for the batches in flight, in ms. Default: as long as any pipeline. */
  readonly replayDrainMs?: number;
  /** Makes a sink that is not open yet. Loads the client library here, not before. */
  create(options: Options, log: Logger): Promise<Sink>;
}

/** The time of a server, and who it is. */
export interface ServerTime extends ServerDate {
  /** Such as `the token endpoint idp.example`. */
  readonly server: string;
}

/** A sink with its options resolved: nothing is connected, and no client library is loaded. */
export interface ConfiguredSink {
  readonly kind: string;
  readonly options: ResolvedSinkOptions;
  readonly destination: string;
  /** Absent where all events go to `destination`. */
  readonly destinations?: Destinations;
  /** True if only one process and one sink may write to the destination. */
  readonly isExclusive: boolean;
  readonly replayDrainMs?: number;
  /** Present if a failure may be `unroutable`; see `SinkKindDefinition`. */
  readonly routing?: string;
  inspect(now: number): readonly SinkFinding[];
  /** When the certificates that it uses end; reads those of their files that have changed. */
  certificates(): readonly CertificateEnd[];
  /** The certificates that its brokers show, asked for within a time in ms; none of those that show none. */
  brokerCertificates(timeoutMs: number): Promise<BrokerCertificate[]>;
  /** The time of a server that it needs; see `SinkKindDefinition`. */
  serverTime(timeoutMs: number): Promise<ServerTime | undefined>;
  /** Where an event goes, for people to read. */
  place(destination: Destination | undefined): string;
  /** The same sink for a second process that writes at the same time; see `SinkKindDefinition`. */
  apart(name: string): ConfiguredSink;
  /** Makes the sink, not open yet. Without a logger its messages are discarded. */
  create(log?: Logger): Promise<Sink>;
}

/** One kind of sink. */
export interface SinkKind {
  readonly kind: string;
  readonly schemes: readonly string[];
  readonly options: SinkSchema;
  /** Schema of where the events of a route go; absent for a kind without routes. */
  readonly route?: RouteSchema;
  /**
   * Resolves what `options`, or an extension of it, made of an entry; keys of the extension are ignored. Throws a
   * CertwireError for a secret.
   */
  configure(entry: z.output<SinkSchema>, context: ResolveContext): ConfiguredSink;
}

/** Makes a kind of sink out of its definition, the types of which nobody else needs to know. */
export function defineSinkKind<Schema extends SinkSchema, Options extends ResolvedSinkOptions>(
  definition: SinkKindDefinition<Schema, Options>,
): SinkKind {
  const { kind, schemes, options: schema, route, replayDrainMs } = definition;
  const configured = (options: Options): ConfiguredSink => ({
    kind,
    options,
    destination: definition.destination(options),
    ...(definition.destinations && { destinations: definition.destinations(options) }),
    isExclusive: definition.apart !== undefined,
    ...(replayDrainMs !== undefined && { replayDrainMs }),
    ...(definition.routing && { routing: definition.routing(options) }),
    place: (destination) =>
      (destination && definition.place?.(destination)) ?? definition.destination(options),
    inspect: (now) => definition.inspect?.(options, now) ?? [],
    certificates: () => definition.certificates?.(options) ?? [],
    brokerCertificates: async (timeoutMs) =>
      brokerCertificates(definition.servers?.(options) ?? { hosts: [] }, timeoutMs),
    serverTime: async (timeoutMs) => definition.serverTime?.(options, timeoutMs),
    apart: (name) => configured(definition.apart?.(options, name) ?? options),
    create: async (log) => definition.create(options, log ?? (await silentLogger())),
  });
  return {
    kind,
    schemes,
    options: schema,
    ...(route && { route }),
    // Whoever has only a SinkKind does not know its schema, but can get an entry from that schema alone.
    configure: (entry, context) =>
      configured(definition.resolve(entry as z.output<Schema>, context)),
  };
}

/** Loaded here only: most of what reads a configuration makes no sink. */
async function silentLogger(): Promise<Logger> {
  const { pino } = await import("pino");
  return pino({ level: "silent" });
}
