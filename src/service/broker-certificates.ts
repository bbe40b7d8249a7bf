import type { SinkConfiguration } from "../config/sink-entry.ts";
import type { CertificateFact } from "../health/facts.ts";
import { pause } from "../pipeline/waiting.ts";

type AskedSink = Pick<SinkConfiguration, "brokerCertificates"> & {
  readonly options: { readonly name: string };
};

/** How often brokers are asked, in ms: each time is one more connection to each. */
const intervalMs = 12 * 3_600_000;
/** The first time is not among the connections of the start. */
const firstAfterMs = 10_000;
const answerMs = 5000;

/** Knows when the certificates end that the brokers of some sinks show. */
export class BrokerCertificates {
  readonly #sinks: readonly AskedSink[];
  readonly #firstAfterMs: number;
  readonly #ends = new Map<string, readonly CertificateFact[]>();

  /** `firstAfter`: delay before the brokers are asked first, in ms. Default 10000. */
  constructor(sinks: readonly AskedSink[], firstAfter = firstAfterMs) {
    this.#sinks = sinks;
    this.#firstAfterMs = firstAfter;
  }

  /** By the names of the sinks; one whose brokers have not answered yet is absent. */
  get ends(): ReadonlyMap<string, readonly CertificateFact[]> {
    return this.#ends;
  }

  /** Asks twice a day until the signal is aborted. Never rejects. */
  async keep(signal: AbortSignal): Promise<void> {
    await pause(this.#firstAfterMs, signal);
    while (!signal.aborted) {
      await Promise.all(this.#sinks.map((sink) => this.#ask(sink)));
      await pause(intervalMs, signal);
    }
  }

  /** What was known stays while a broker does not answer. */
  async #ask({ brokerCertificates, options: { name } }: AskedSink): Promise<void> {
    // The sink itself reports what is wrong with the connection.
    const found = await brokerCertificates(answerMs).catch(() => []);
    const ends = found.flatMap(({ server, validity }) =>
      validity === undefined ? [] : [{ name: server, notAfterMs: validity.notAfterMs }],
    );
    if (ends.length > 0) this.#ends.set(name, ends);
  }
}
