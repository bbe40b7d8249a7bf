import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CaDatabase } from "../../src/ca-database/ca-database.ts";
import { EventFilter } from "../../src/events/event-filter.ts";
import { exitEvents } from "../../src/exit/ca-codes.ts";
import type {
  NativeExitSimulator,
  SimulatedEvent,
  SimulatedValue,
} from "../../src/native/addon.ts";
import type { BackfillOptions } from "../../src/reconcile/backfill.ts";
import { BackfillPlace, type BackfillSelection } from "../../src/reconcile/backfill-place.ts";
import { ContentIndex } from "../../src/reconcile/content-index.ts";
import { JournalContents } from "../../src/reconcile/journal-contents.ts";
import { identifyBoth } from "../../src/reconcile/known-database.ts";
import { Pace } from "../../src/reconcile/pace.ts";
import {
  type ReconcileOptions,
  type ReconcileReport,
  reconcile,
} from "../../src/reconcile/reconcile.ts";
import { RunFile } from "../../src/reconcile/run-file.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { fixture } from "./exit-records.ts";
import { type CaRow, caFacts, FakeCaDatabase } from "./fake-ca-database.ts";
import { flushed, journalDirectory, openSmall, readAll } from "./small-journal.ts";
import { until } from "./until.ts";

/** Long after everything in a scene, so that all of it is settled. */
const laterMs = 86_400_000;

/** A CA whose exit module and database a test can let differ. */
export class ReconcileScene {
  readonly journal: string;
  readonly state: string;
  readonly database: FakeCaDatabase;
  readonly caCertificate: Buffer;
  /** A time after the journal has begun, in whole seconds, in ms since 1970. */
  readonly begin: number;
  #simulator: NativeExitSimulator;

  constructor(t: Pick<TestContext, "after">, database = new FakeCaDatabase()) {
    this.journal = journalDirectory(t);
    this.state = mkdtempSync(join(tmpdir(), "certwire-state-"));
    t.after(() => rmSync(this.state, { recursive: true, force: true }));
    this.database = database;
    this.database.now = () => Date.now() + laterMs;
    this.caCertificate = caFacts.certificates[0] ?? Buffer.alloc(0);
    this.#simulator = openSmall(this.journal, 4 * 2 ** 20);
    t.after(() => this.#simulator.close());
    this.#simulator.notify({ ...plainEvent(exitEvents.startup, 0), certificate: this.#ca() });
    this.begin = Math.ceil(Date.now() / 1000 + 1) * 1000;
  }

  get paths() {
    return stateLayout(this.state).reconcile;
  }

  /** A certificate of its own for a request. */
  static certificate(seed: number): Buffer {
    return Buffer.concat([fixture("rsa-v1-template"), Buffer.from(String(seed))]);
  }

  /** Something happens to a request: in the database and in the journal. */
  happen(event: number, row: CaRow): void {
    this.database.put(row);
    this.record(event, row);
  }

  /** What the exit module records when something happens to a request. */
  record(event: number, row: CaRow, ca: Record<string, SimulatedValue> = this.#ca()): void {
    this.#simulator.notify(recordedEvent(event, row, ca));
  }

  /** What the exit module records when the CA publishes these CRLs: all that are current. */
  recordCrls(crls: { readonly base?: Buffer; readonly delta?: Buffer }, ca = this.#ca()): void {
    const { base, delta } = crls;
    const certificate = present({
      CertCount: { long: 1 },
      "RawCRL.0": base && { binary: base },
      "RawDeltaCRL.0": delta && { binary: delta },
      ...ca,
    });
    this.#simulator.notify({ ...plainEvent(exitEvents.crlIssued, 0), certificate });
  }

  /** Compares, once the journal is on disk. */
  async reconcile(
    options: Partial<ReconcileOptions> = {},
    signal = new AbortController().signal,
  ): Promise<ReconcileReport> {
    await this.flushed();
    return reconcile(
      {
        database: this.caDatabase(),
        contents: await JournalContents.open(this.paths, () => this.database.now()),
        journal: this.journal,
        paths: this.paths,
        run: await RunFile.open(this.paths.run),
        now: () => Date.now() + laterMs,
        ...options,
      },
      signal,
    );
  }

  /** What a backfill to a sink needs, once the journal is on disk. */
  async backfillOptions(
    sink: string,
    { fromRequest = 1, untilMs }: Partial<BackfillSelection> = {},
  ): Promise<BackfillOptions> {
    await this.flushed();
    const compared = {
      database: this.caDatabase(),
      contents: await JournalContents.open(this.paths, () => this.database.now()),
      journal: this.journal,
    };
    const run = await RunFile.open(this.paths.run);
    const { signal } = new AbortController();
    const selection = { fromRequest, untilMs };
    return {
      ...compared,
      facts: await identifyBoth({ ...compared, run }, signal),
      published: new ContentIndex(this.paths.published(sink)),
      selection,
      settleMs: 0,
      events: {},
      filter: new EventFilter({}),
      pace: new Pace({
        perSecond: 1_000_000,
        isLiveBehind: () => Promise.resolve(false),
        sleep: async (_, each) => each.throwIfAborted(),
      }),
      place: new BackfillPlace(this.paths.backfill(sink), selection),
      run,
      progress: () => undefined,
    };
  }

  caDatabase(): CaDatabase {
    const sleep = async (_: number, signal: AbortSignal) => signal.throwIfAborted();
    return new CaDatabase(this.database, { config: "CA01\\Contoso", sleep });
  }

  /** Waits until a reader gets all that was recorded: the mark that it was flushed is written a little later. */
  async flushed(): Promise<void> {
    await flushed(this.#simulator);
    const { appended } = this.#simulator.stats();
    const isReadable = async () => {
      const frames = await readAll(this.journal, null, "durable");
      return frames.length >= appended;
    };
    await until(isReadable, "the whole journal is marked as flushed");
  }

  #ca(): Record<string, SimulatedValue> {
    return {
      SanitizedCAName: { string: caFacts.sanitizedName },
      RawCACertificate: { binary: this.caCertificate },
    };
  }
}

function plainEvent(event: number, context: number): SimulatedEvent {
  return { event, context, request: {}, certificate: {}, attributes: [], extensions: [] };
}

function recordedEvent(
  event: number,
  {
    id,
    disposition,
    submitted,
    resolved,
    revoked,
    reason,
    status,
    certificate,
    generalFlags,
    requester,
  }: CaRow,
  ca: Record<string, SimulatedValue>,
): SimulatedEvent {
  const date = (ms: number | undefined) =>
    ms === undefined ? undefined : { date: ms / 86_400_000 + 25_569 };
  const long = (value: number | undefined) => (value === undefined ? undefined : { long: value });
  return {
    ...plainEvent(event, id),
    request: present({
      RequestID: { long: id },
      Disposition: long(disposition),
      StatusCode: long(status),
      SubmittedWhen: date(submitted),
      ResolvedWhen: date(resolved),
      RevokedWhen: date(revoked),
      RevokedReason: long(reason),
      RequesterName: requester === undefined ? undefined : { string: requester },
    }),
    certificate: present({
      RequestID: { long: id },
      RawCertificate: certificate && { binary: certificate },
      GeneralFlags: long(generalFlags),
      ...ca,
    }),
  };
}

function present(
  values: Readonly<Record<string, SimulatedValue | undefined>>,
): Record<string, SimulatedValue> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (each): each is [string, SimulatedValue] => each[1] !== undefined,
    ),
  );
}
