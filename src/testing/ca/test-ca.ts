import { caIdOf } from "../../events/ca-identity.ts";
import type { EventOptions } from "../../events/envelope.ts";
import type { CertwireEvent, EventKind } from "../../events/event.ts";
import type { ReportedFinding } from "../../events/finding-event.ts";
import { isKind, type TypedEvent } from "../../events/typed-event.ts";
import { exitEvents } from "../../exit/ca-codes.ts";
import type { SimulatedEvent } from "../../native/addon.ts";
import {
  CertificationAuthority,
  importedRow,
  manager,
  statusCodes,
} from "../../simulate/certification-authority.ts";
import { IssuingAuthority } from "../../simulate/issuing-authority.ts";
import type { RequestRow } from "../../simulate/request-row.ts";
import { SeededRandom } from "../../simulate/seeded-random.ts";
import { KeyStore } from "../x509/key-store.ts";
import type { KeyKind } from "../x509/keys.ts";
import { TestClock } from "./clock.ts";
import { EventMaker } from "./event-maker.ts";
import { FindingBook, type FindingOptions, type FoundRow } from "./finding-book.ts";
import { isLossReason, type LossReason, LostRecords } from "./lost-records.ts";
import { newRow } from "./new-row.ts";
import { RequestBook, type RequestReference, requestStates } from "./request-book.ts";
import type { RequestOptions } from "./request-options.ts";
import { usageError } from "./usage-error.ts";

/** Settings of a test CA. */
export interface TestCaOptions {
  /**
   * The same seed and the same calls make the same events, byte for byte: keys, certificates, serial numbers, SIDs, ids
   * and times. Default 1.
   */
  readonly seed?: string | number;
  /** Name of the CA. Default `Test Issuing CA`. */
  readonly name?: string;
  /** The CA's own key, with which it signs. Default `rsa-2048`. */
  readonly key?: KeyKind;
  /** Time of the first event. Default 2026-01-05T08:00:00Z. */
  readonly start?: Date | string;
  /** How much the clock moves after each call, in ms. Default 1000. */
  readonly stepMs?: number;
  /** How the events are built, as `events` and `detail` of the configuration say. Default: their defaults. */
  readonly events?: EventOptions;
  /** Called with what certsrv would serve to the exit module at each event. Default nothing. */
  readonly notified?: (served: SimulatedEvent) => void;
}

/** Why a certificate is revoked. */
const reasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
} as const;

const holdReason = 6;

/** Why a certificate is revoked; `hold` is for the reason certificateHold. */
export type TestRevocationReason = keyof typeof reasons;

/** Who acts. */
export interface ActorOptions {
  /** Account of the manager. Default `CORP\\pki.manager`. */
  readonly by?: string;
}

/** What a request failed with. */
export interface FailureOptions {
  /** HRESULT. Default 0x80090006: the signature of the request is wrong. */
  readonly statusCode?: number;
  /** `DispositionMessage`. Default the words of the CA for that signature. */
  readonly message?: string;
}

/** How a CA is renewed. */
export interface RenewalOptions {
  /** Kind of the new key pair. Default none: the CA keeps its key, and with it its id and the `source` of its events. */
  readonly key?: KeyKind;
}

/** How records are lost. */
export interface LossOptions {
  /**
   * `memory`, `disk-full` and `write-error`: the exit module cannot write them; the gap has their count, times and
   * request IDs. `corrupt` and `missing-segment`: they are missing in the journal; the gap has their sequence numbers.
   * Default `disk-full`.
   */
  readonly reason?: LossReason;
}

/** An event bit of Notify that no version of the SDK names. */
const unnamedEvent = 0x400;

/**
 * A certification authority for tests: each call does what its name says and returns the event that Certwire would
 * publish. Make one with `testCa`.
 */
export class TestCa {
  readonly clock: TestClock;
  readonly #seed: string;
  readonly #ca: CertificationAuthority;
  readonly #keys: KeyStore;
  readonly #maker: EventMaker;
  readonly #events: CertwireEvent[] = [];
  /** Several, if the CA was renewed with a new key. */
  readonly #sources = new Set<string>();
  readonly #requests = new RequestBook(
    (source) => this.#sources.size > 0 && !this.#sources.has(source),
  );
  readonly #findings = new FindingBook();
  readonly #stepMs: number;
  readonly #notified: (served: SimulatedEvent) => void;
  #isRunning = false;
  #renewals = 0;
  #losing: LostRecords | undefined;

  constructor(options: TestCaOptions = {}) {
    const { seed = 1, name = "Test Issuing CA", key = "rsa-2048", stepMs = 1000 } = options;
    this.clock = new TestClock(options.start ?? "2026-01-05T08:00:00Z");
    this.#seed = String(seed);
    this.#stepMs = stepMs;
    this.#notified = options.notified ?? (() => undefined);
    this.#keys = new KeyStore(this.#seed);
    const random = new SeededRandom(this.#seed);
    const authority = new IssuingAuthority(random.branch("authority"), this.clock.now(), {
      name,
      key: this.#keys.authorityKey(key, 0),
    });
    this.#ca = new CertificationAuthority(authority, random.branch("operations"));
    this.#maker = new EventMaker(name, this.#seed, options.events ?? {});
  }

  /** Name of the CA. */
  get name(): string {
    return this.#ca.authority.name;
  }

  /** The CA's own certificate in DER; after a renewal the new one. */
  get certificate(): Buffer {
    return this.#ca.authority.certificate;
  }

  /** The CA's own certificate in PEM. */
  get certificatePem(): string {
    const lines = this.certificate.toString("base64").replaceAll(/.{1,64}/g, "$&\n");
    return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
  }

  /** The newest CRLs in DER, of the CA's newest key. */
  get crls(): { readonly base: Buffer; readonly delta: Buffer } {
    return this.#ca.authority.crls;
  }

  /** Every event so far, in the order of the journal; the first one is `ca.started`. */
  get events(): readonly CertwireEvent[] {
    return this.#events;
  }

  /**
   * Starts the CA. Every other call starts it too if it does not run, so that `events` begins with `ca.started`. Throws
   * CERTWIRE_TESTING_OPTIONS if it runs.
   */
  start(): TypedEvent<"ca.started"> {
    if (this.#isRunning) throw usageError("start: the CA runs already");
    return this.#begin("ca.started");
  }

  #begin<K extends EventKind>(kind: K): TypedEvent<K> {
    this.#isRunning = true;
    this.#maker.beginEpoch();
    return this.#record(kind, () => this.#ca.started());
  }

  /** Stops the CA; the next call starts it again, with a new epoch. */
  stop(): TypedEvent<"ca.stopped"> {
    if (this.#losing) throw usageError("loseRecords: the CA must keep running");
    const event = this.#record("ca.stopped", () => this.#ca.stopped());
    this.#isRunning = false;
    return event;
  }

  /**
   * Renews the CA's certificate, as `certutil -renewCert` does: the CA stops, gets a certificate for its key or for a
   * new one, and starts. Certificates and CRLs that it signs from now on are of the new key.
   */
  renew({ key }: RenewalOptions = {}): TypedEvent<"ca.changed"> {
    // Nothing changes for a service that has not seen the certificate before.
    if (this.#events.length === 0) this.start();
    if (this.#isRunning) this.stop();
    this.#renewals += 1;
    const newKey = key && this.#keys.authorityKey(key, this.#renewals);
    this.#ca.authority.renew(this.clock.now(), newKey);
    return this.#begin("ca.changed");
  }

  /** Issues a certificate at once. Throws CERTWIRE_TESTING_OPTIONS or CERTWIRE_OPTIONAL_LIBRARY, as all calls do. */
  issue(options: RequestOptions = {}): TypedEvent<"certificate.issued"> {
    const row = this.#newRow(options);
    const event = this.#record("certificate.issued", (now) => this.#ca.issue(row, now, "Issued"));
    this.#requests.set(row, "issued");
    return event;
  }

  /** Takes a request that a manager must approve. */
  pend(options: RequestOptions = {}): TypedEvent<"request.pending"> {
    const row = this.#newRow(options);
    const event = this.#record("request.pending", () => this.#ca.pend(row));
    this.#requests.set(row, "pending");
    return event;
  }

  /** A manager approves a pending request; its certificate is issued. */
  approve(
    request: RequestReference,
    { by = manager }: ActorOptions = {},
  ): TypedEvent<"certificate.issued"> {
    const row = this.#requests.get(request, ["pending"], "approve");
    const event = this.#record("certificate.issued", (now) =>
      this.#ca.issue(row, now, `Resubmitted by ${by}\n`),
    );
    this.#requests.set(row, "issued");
    return event;
  }

  /** Denies a request: a manager a pending one, the policy module a new one. */
  deny(
    request: RequestReference | RequestOptions = {},
    { by = manager }: ActorOptions = {},
  ): TypedEvent<"request.denied"> {
    const isPending = typeof request === "number" || "specversion" in request;
    const row = isPending
      ? this.#requests.get(request, ["pending"], "deny")
      : this.#newRow(request);
    const resolution = isPending
      ? { statusCode: statusCodes.deniedByManager, message: `Denied by ${by}\n` }
      : { statusCode: statusCodes.templateDenied, message: "Denied by Policy Module" };
    const event = this.#record("request.denied", (now) => this.#ca.deny(row, now, resolution));
    this.#requests.set(row, "denied");
    return event;
  }

  /** A new request that the CA cannot process. */
  fail(
    options: RequestOptions = {},
    {
      statusCode = statusCodes.badRequestSignature,
      message = "Error Verifying Request Signature or Signing Certificate",
    }: FailureOptions = {},
  ): TypedEvent<"request.failed"> {
    const row = this.#newRow(options);
    const event = this.#record("request.failed", (now) =>
      this.#ca.fail(row, now, { statusCode, message }),
    );
    this.#requests.set(row, "failed");
    return event;
  }

  /** The requester fetches a certificate. */
  retrieve(request: RequestReference): TypedEvent<"request.retrieved"> {
    const row = this.#requests.get(request, ["issued", "held", "revoked"], "retrieve");
    return this.#record("request.retrieved", () => this.#ca.retrieve(row));
  }

  /** Revokes a certificate, for the reason `unspecified` unless another is given. */
  revoke(
    certificate: RequestReference,
    { reason = "unspecified", by }: ActorOptions & { readonly reason?: TestRevocationReason } = {},
  ): TypedEvent<"certificate.revoked"> {
    const row = this.#requests.get(certificate, ["issued", "held"], "revoke");
    const code = reasons[reason];
    if (code === undefined) throw usageError(`revoke: "${reason}" is not a reason`);
    const event = this.#record("certificate.revoked", (now) =>
      this.#ca.revoke(row, now, { reason: code, by }),
    );
    this.#requests.set(row, "revoked");
    return event;
  }

  /** Puts a certificate on hold: it is revoked for the reason `certificateHold`, and can be released. */
  hold(
    certificate: RequestReference,
    { by }: ActorOptions = {},
  ): TypedEvent<"certificate.revoked"> {
    const row = this.#requests.get(certificate, ["issued"], "hold");
    const event = this.#record("certificate.revoked", (now) =>
      this.#ca.revoke(row, now, { reason: holdReason, by }),
    );
    this.#requests.set(row, "held");
    return event;
  }

  /** Releases a certificate from hold. */
  release(certificate: RequestReference): TypedEvent<"certificate.unrevoked"> {
    const row = this.#requests.get(certificate, ["held"], "release");
    const event = this.#record("certificate.unrevoked", (now) => this.#ca.release(row, now));
    this.#requests.set(row, "issued");
    return event;
  }

  /** Imports a certificate that is not in the CA's database, as `certutil -importcert` does. */
  import(
    options: RequestOptions = {},
    { by = manager }: ActorOptions = {},
  ): TypedEvent<"certificate.imported"> {
    const row = importedRow(this.#newRow(options), by);
    const event = this.#record("certificate.imported", (now) => this.#ca.import(row, now));
    this.#requests.set(row, "issued");
    return event;
  }

  /** Publishes CRLs: a new base and a new delta CRL, or only a delta CRL. Returns one event for each. */
  publishCrl({
    kind = "base",
  }: {
    readonly kind?: "base" | "delta";
  } = {}): readonly TypedEvent<"crl.issued">[] {
    this.#startIfStopped();
    return this.#notify(this.#ca.publish(kind, this.clock.now())).filter((event) =>
      isKind(event, "crl.issued"),
    );
  }

  /**
   * Notifies the exit module of an event that Certwire has no type for, of a request or of none. `event`: its bit,
   * default 0x400.
   */
  notify(
    request?: RequestReference,
    { event = unnamedEvent }: { readonly event?: number } = {},
  ): TypedEvent<"ca.unrecognized"> {
    if (!Number.isInteger(event) || event < 1 || event > 0x7fff_ffff || isKnown(event)) {
      throw usageError(`notify: ${event} is not an event without a type`, "Take 0x400.");
    }
    const row =
      request === undefined ? undefined : this.#requests.get(request, requestStates, "notify");
    return this.#record("ca.unrecognized", () => this.#ca.notify(event, row));
  }

  /**
   * Loses the records of all that happens in `act`, which must not be asynchronous: the CA acts, but its events are
   * not published and not in `events`; a `journal.gap` is. The calls in `act` return the events that were lost.
   */
  loseRecords(
    act: () => void,
    { reason = "disk-full" }: LossOptions = {},
  ): TypedEvent<"journal.gap"> {
    if (this.#losing) throw usageError("loseRecords: records are being lost already");
    if (!isLossReason(reason)) throw usageError(`loseRecords: "${String(reason)}" is not a reason`);
    this.#startIfStopped();
    const lost = new LostRecords(reason);
    this.#losing = lost;
    let event: CertwireEvent | undefined;
    let result: unknown;
    try {
      result = act();
    } finally {
      this.#losing = undefined;
      event = this.#maker.gapEvent(lost, this.clock.now());
      if (event) this.#events.push(event);
    }
    if (isThenable(result)) {
      const hint =
        "Await what is asynchronous before loseRecords, and lose the records in a function that is not.";
      throw usageError(
        "loseRecords: the function is asynchronous; what it does later is not lost",
        hint,
      );
    }
    if (event === undefined) throw usageError("loseRecords: nothing happened that can be lost");
    return ofKind([event], "journal.gap");
  }

  /**
   * The scheduled comparison finds that journal and database differ about a request, or that the journal lacks a CRL. `about`:
   * a request, also one whose events were lost, or an event `crl.issued`.
   */
  reportFinding(
    about: RequestReference | TypedEvent<"crl.issued">,
    options: FindingOptions = {},
  ): TypedEvent<"reconcile.finding"> {
    const now = this.clock.now();
    const ca = { id: caIdOf(this.certificate) ?? "unknown", name: this.name };
    const report = this.#findings.report(this.#foundRow(about, now), options, { ca, now });
    const event = this.#found(report);
    this.#findings.keep(event.id, report);
    return event;
  }

  /** A later comparison does not find it any more. */
  resolveFinding({
    id,
  }: Pick<TypedEvent<"reconcile.finding">, "id">): TypedEvent<"reconcile.finding"> {
    return this.#found(this.#findings.resolve(id, this.clock.now()));
  }

  #found(report: ReportedFinding): TypedEvent<"reconcile.finding"> {
    const event = this.#maker.findingEvent(report);
    this.#events.push(event);
    this.clock.advance(this.#stepMs);
    return ofKind([event], "reconcile.finding");
  }

  #foundRow(about: RequestReference | TypedEvent<"crl.issued">, now: Date): FoundRow {
    if (typeof about === "object" && "subject" in about && isKind(about, "crl.issued")) {
      const { subject = "", time } = about;
      return {
        about: { crl: subject },
        happened: [{ kind: "crl.issued", at: Date.parse(time) }],
      };
    }
    const row = this.#requests.get(about, requestStates, "reportFinding");
    const facts = this.#maker.factsOf(row, now);
    return {
      about: { requestId: row.requestId },
      happened: facts.map(({ kind, timeMs }) => ({ kind, at: timeMs })),
    };
  }

  #newRow(options: RequestOptions): RequestRow {
    this.#startIfStopped();
    const requestId = this.#requests.nextId();
    return newRow(options, {
      requestId,
      now: this.clock.now(),
      seed: this.#seed,
      issuerExtensions: this.#ca.authority.issuerExtensions,
      keyOf: (kind) => this.#keys.requestKey(kind, requestId),
    });
  }

  #startIfStopped(): void {
    if (!this.#isRunning) this.start();
  }

  #record<K extends EventKind>(kind: K, act: (now: Date) => SimulatedEvent): TypedEvent<K> {
    this.#startIfStopped();
    return ofKind(this.#notify(act(this.clock.now())), kind);
  }

  #notify(served: SimulatedEvent): CertwireEvent[] {
    this.#notified(served);
    const events = this.#losing
      ? this.#maker.lostEvents(served, this.clock.now(), this.#losing)
      : this.#maker.events(served, this.clock.now());
    for (const { source } of events) this.#sources.add(source);
    if (!this.#losing) this.#events.push(...events);
    this.clock.advance(this.#stepMs);
    return events;
  }
}

function isThenable(value: unknown): boolean {
  return typeof (Object(value) as { then?: unknown }).then === "function";
}

function ofKind<K extends EventKind>(events: readonly CertwireEvent[], kind: K): TypedEvent<K> {
  const event = events.find((each) => isKind(each, kind));
  if (event === undefined) throw new Error(`the CA made no ${kind}`);
  return event;
}

function isKnown(event: number): boolean {
  return Object.values<number>(exitEvents).includes(event);
}

/**
 * Makes a test CA.
 *
 * ```js
 * import { testCa } from "certwire/testing";
 *
 * const ca = testCa({ seed: 1 });
 * const issued = ca.issue({ template: "CorpWebServer", sans: ["www.example.com"] });
 * const revoked = ca.revoke(issued, { reason: "keyCompromise" });
 * console.log(revoked.type, revoked.data.certificate.serialNumber);
 * ```
 *
 * Throws CERTWIRE_TESTING_OPTIONS for an invalid option and CERTWIRE_OPTIONAL_LIBRARY if a library that it needs is not
 * installed.
 */
export function testCa(options: TestCaOptions = {}): TestCa {
  return new TestCa(options);
}
