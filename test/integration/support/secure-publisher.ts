import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import pino from "pino";
import { parseConfig, type ResolvedConfig } from "../../../src/config/load.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { Service } from "../../../src/service/service.ts";
import type { SinkStats } from "../../../src/service/sink-stats.ts";
import type { Sink } from "../../../src/sinks/sink.ts";
import { patientEntry, type UrlEntry } from "../../support/patient-entry.ts";
import { range } from "../../support/run-pipeline.ts";
import { flushed, journalDirectory, openSmall, record } from "../../support/small-journal.ts";
import { settled, until } from "../../support/until.ts";
import { chooseProvider, localProvider } from "./brokers.ts";
import type { KeyPairFiles, TestCertificates } from "./test-certificates.ts";

const events = 20;

/** Why the tests with secured brokers are skipped; false when they run. */
export const skip =
  (await chooseProvider()) !== localProvider && "secured brokers are local processes";

/** TLS options of a sink that trusts the CA of the brokers, by the files of a `SecurePublisher`. */
export const tls = { caFile: "ca.pem" };
/** Those of one that also has a client certificate. */
export const clientTls = {
  ...tls,
  certificateFile: "client.pem",
  privateKey: { file: "client.key" },
};

/** What a sink that cannot be opened must report. */
interface Refusal {
  readonly code: string;
  readonly message: RegExp;
  readonly hint: RegExp;
}

/**
 * A publisher as its user sets it up: a journal with some events, a configuration as JSON text, and beside it
 * `ca.pem`, `stranger.pem`, `client.pem`, `client.key`, `password.txt` and `wrong.txt`.
 */
export class SecurePublisher {
  readonly #directory: string;
  readonly #secrets: readonly string[];
  #log = "";

  private constructor(directory: string, secrets: readonly string[]) {
    this.#directory = directory;
    this.#secrets = [...secrets, "PRIVATE KEY"];
  }

  static async create(t: TestContext, certificates: TestCertificates, password: string) {
    const journal = journalDirectory(t);
    const simulator = openSmall(journal);
    record(simulator, 1, events);
    await flushed(simulator);
    simulator.shutdown();
    simulator.close();
    const wrong = `wrong-${password}`;
    const publisher = new SecurePublisher(dirname(journal), [password, wrong]);
    copyFileSync(certificates.caFile, publisher.path("ca.pem"));
    copyFileSync(certificates.strangerCa.certificateFile, publisher.path("stranger.pem"));
    publisher.useClient(certificates.client);
    writeFileSync(publisher.path("password.txt"), `${password}\n`);
    writeFileSync(publisher.path("wrong.txt"), `${wrong}\n`);
    return publisher;
  }

  /** Puts another certificate and key into the files of the client. */
  useClient({ certificateFile, keyFile }: KeyPairFiles): void {
    copyFileSync(certificateFile, this.path("client.pem"));
    copyFileSync(keyFile, this.path("client.key"));
  }

  /** Puts another text into the first line of one of its files. */
  write(name: string, text: string): void {
    writeFileSync(this.path(name), `${text}\n`);
  }

  /** A sink that is not opened yet. */
  sink(entry: UrlEntry): Promise<Sink> {
    const [sink] = this.#configure(entry).sinks;
    assert.ok(sink);
    return sink.create(this.#logger());
  }

  /**
   * Runs the service until every event of the journal is acknowledged, and none is a dead letter. `onFailures`: runs once
   * the sink could not be opened twice.
   */
  async publishAll(entry: UrlEntry, onFailures?: () => Promise<void>): Promise<void> {
    let fixing: Promise<void> | undefined;
    const stats = await this.#serve(entry, ({ acknowledgedEvents, openFailures }) => {
      if (openFailures >= 2) fixing ??= onFailures?.();
      return acknowledgedEvents >= events;
    });
    await fixing;
    assert.equal(stats?.acknowledgedEvents, events);
    assert.ok(Object.values(stats.deadLetters).every((count) => count === 0));
    if (onFailures) assert.ok(fixing, "the sink could be opened at once");
    this.#assertNoSecretLogged();
  }

  /** The configuration as a file of its own. */
  configure(entry: UrlEntry): string {
    const file = this.path("certwire.json");
    writeFileSync(file, this.#textOf(entry));
    return file;
  }

  /** The sink does not open, and a service with it publishes nothing, stops on request, and logs why. */
  async isRefused(entry: UrlEntry, { code, message, hint }: Refusal): Promise<void> {
    const sink = await this.sink(entry);
    const opening = settled(sink.open(new AbortController().signal), "the sink refuses to open");
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof CertwireError);
      assert.equal(error.code, code);
      assert.match(error.hint, hint);
      return true;
    });
    const stats = await this.#serve(entry, ({ openFailures }) => openFailures >= 2);
    assert.equal(stats?.acknowledgedEvents, 0);
    const lines = this.#log.split("\n").filter((line) => line.includes("cannot open the sink"));
    const last = JSON.parse(lines.at(-1) ?? "{}");
    assert.equal(last.code, code);
    assert.match(last.error, message);
    assert.match(last.hint, hint);
    this.#assertNoSecretLogged();
  }

  /** Fails unless each event of the journal arrived, and none twice. */
  assertArrived(bodies: readonly (string | null)[]): void {
    const subjects = bodies.map((body) => JSON.parse(body ?? "{}").subject as string);
    const expected = range(1, events).map((id) => `request/${id}`);
    assert.deepEqual(subjects.toSorted(), expected.toSorted());
  }

  async #serve(entry: UrlEntry, isDone: (stats: SinkStats) => boolean) {
    const service = await Service.create({ config: this.#configure(entry), log: this.#logger() });
    const stop = new AbortController();
    const running = service.run(stop.signal);
    const find = (): boolean => service.stats().some(isDone);
    await until(find, "the service has come so far").finally(() => stop.abort());
    await running;
    return service.stats()[0];
  }

  #configure(entry: UrlEntry): ResolvedConfig {
    return parseConfig(this.path("certwire.json"), this.#textOf(entry));
  }

  #textOf(entry: UrlEntry): string {
    const sink = patientEntry({ name: "broker", retryMaxMs: 200, ...entry });
    return JSON.stringify({
      journal: { directory: "journal" },
      state: { directory: "state" },
      sinks: [sink],
    });
  }

  #logger() {
    return pino({ level: "trace" }, { write: (line: string) => void (this.#log += line) });
  }

  #assertNoSecretLogged(): void {
    for (const secret of this.#secrets)
      assert.ok(!this.#log.includes(secret), "a secret is logged");
  }

  /** One of its files. */
  path(name: string): string {
    return join(this.#directory, name);
  }
}
