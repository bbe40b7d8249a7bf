import type { SinkConfiguration } from "../config/sink-entry.ts";
import type { CertificateFact } from "../health/facts.ts";
import { pause } from "../pipeline/waiting.ts";

type AskedSink = Pick<SinkConfiguration, "brokerCertificates"> & {
  readonly options: { readonly name: string };
};

/** How often brokers are asked, in ms: each time is one more connection to each. */
const intervalMs = 12 * 3_600_000;
/** The same after a time at which one did not answer. */
const retryMs = 10 * 60_000;
/** The first time is not among the connections of the start. */
const firstAfterMs = 10_000;
const answerMs = 5000;

/** Knows when the certificates end that the brokers of some sinks show. */
export class BrokerCertificates {
  readonly #sinks: readonly AskedSink[];
  readonly #firstAfterMs: number;
  readonly #retryMs: number;
  readonly #ends = new Map<string, readonly CertificateFact[]>();

  /**
   * `firstAfter`: delay before the brokers are asked first, in ms. Default 10000. `retry`: delay before they are asked again
   * where one did not answer, in ms. Default 600000.
   */
  constructor(sinks: readonly AskedSink[], firstAfter = firstAfterMs, retry = retryMs) {
    this.#sinks = sinks;
    this.#firstAfterMs = firstAfter;
    this.#retryMs = retry;
  }

  /** By the names of the sinks; one whose brokers have not answered yet is absent. */
  get ends(): ReadonlyMap<string, readonly CertificateFact[]> {
    return this.#ends;
  }

  /** Asks twice a day, and sooner where a broker did not answer, until the signal is aborted. Never rejects. */
  async keep(signal: AbortSignal): Promise<void> {
    await pause(this.#firstAfterMs, signal);
    while (!signal.aborted) {
      const answered = await Promise.all(this.#sinks.map((sink) => this.#ask(sink)));
      await pause(answered.includes(false) ? this.#retryMs : intervalMs, signal);
    }
  }

  /** False where a broker did not answer; what was known of it stays. */
  async #ask({ brokerCertificates, options: { name } }: AskedSink): Promise<boolean> {
    // The sink itself reports what is wrong with the connection.
    const found = await brokerCertificates(answerMs).catch(() => undefined);
    if (found === undefined) return false;
    const ends = found.flatMap(({ server, validity }) =>
      validity === undefined ? [] : [{ name: server, notAfterMs: validity.notAfterMs }],
    );
    const known = (this.#ends.get(name) ?? []).map((end) => [end.name, end] as const);
    const all = new Map([...known, ...ends.map((end) => [end.name, end] as const)]);
    if (all.size > 0) this.#ends.set(name, [...all.values()]);
    return ends.length === found.length;
  }
}
