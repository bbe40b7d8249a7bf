import { dispositions, exitEvents } from "../exit/ca-codes.ts";
import type { SimulatedEvent } from "../native/addon.ts";
import { Enrolment } from "./enrolment.ts";
import { IssuingAuthority } from "./issuing-authority.ts";
import { type RequestRow, rowContent } from "./request-row.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Settings of a simulated CA. */
export interface SimulatedCaOptions {
  /** The same seed and the same times make the same events, byte for byte. */
  readonly seed: string | number;
  /** Returns the time of the next event. Default: the machine's clock. */
  readonly now?: () => Date;
}

/** HRESULTs of denied and failed requests. */
const statusCodes = {
  deniedByManager: 0x80094014,
  templateDenied: 0x80094012,
  badRequestSignature: 0x80090006,
  unparsable: 0x8009310b,
} as const;

const manager = "CORP\\pki.manager";
/** Maximum rows of each state kept for later operations; the oldest are dropped first. */
const maxRemembered = 2_000;

/** Something that happens at the CA; `weight` is its share of the operations that are possible. */
interface Operation {
  readonly weight: number;
  readonly isPossible?: () => boolean;
  readonly run: (now: Date) => SimulatedEvent;
}

/**
 * A certification authority at work: users and machines enrol, managers approve and deny requests,
 * certificates are revoked, put on hold and released, and CRLs are published. Each call returns one event as
 * certsrv would notify its exit module of it: first `started`, then `next` as often as needed, then `stopped`.
 */
export class SimulatedCa {
  readonly #random: SeededRandom;
  readonly #now: () => Date;
  readonly #authority: IssuingAuthority;
  readonly #enrolment: Enrolment;
  readonly #pending: RequestRow[] = [];
  readonly #approved: RequestRow[] = [];
  readonly #issued: RequestRow[] = [];
  readonly #held: RequestRow[] = [];
  #lastRequestId = 0;

  readonly #operations: readonly Operation[] = [
    { weight: 72, run: (now) => this.#submit(now) },
    { weight: 6, isPossible: () => this.#pending.length > 0, run: (now) => this.#approve(now) },
    { weight: 2, isPossible: () => this.#pending.length > 2, run: (now) => this.#deny(now) },
    { weight: 3, isPossible: () => this.#approved.length > 0, run: () => this.#retrieve() },
    { weight: 8, isPossible: () => this.#issued.length > 5, run: (now) => this.#revoke(now) },
    { weight: 2, isPossible: () => this.#issued.length > 5, run: (now) => this.#hold(now) },
    { weight: 2, isPossible: () => this.#held.length > 0, run: (now) => this.#release(now) },
    { weight: 1, run: (now) => this.#import(now) },
    { weight: 1, run: (now) => this.#publish("base", now) },
    { weight: 3, run: (now) => this.#publish("delta", now) },
  ];

  constructor(options: SimulatedCaOptions) {
    const random = new SeededRandom(options.seed);
    this.#random = random.branch("operations");
    this.#now = options.now ?? (() => new Date());
    this.#authority = new IssuingAuthority(random.branch("authority"), this.#now());
    this.#enrolment = new Enrolment(random.branch("enrolment"), this.#authority);
  }

  /** Name of the CA, as the exit module gets it. */
  get name(): string {
    return this.#authority.name;
  }

  /** The CA's certificate in DER. */
  get certificate(): Buffer {
    return this.#authority.certificate;
  }

  /** The event that the exit module itself records when the CA starts. */
  started(): SimulatedEvent {
    return this.#caEvent(exitEvents.startup);
  }

  /** The event of a CA that stops. */
  stopped(): SimulatedEvent {
    return this.#caEvent(exitEvents.shutdown);
  }

  /** A random operation that is possible now, and its event. */
  next(): SimulatedEvent {
    const possible = this.#operations.filter((operation) => operation.isPossible?.() ?? true);
    let rest = this.#random.below(possible.reduce((sum, { weight }) => sum + weight, 0));
    const chosen = possible.find(({ weight }) => (rest -= weight) < 0);
    return (chosen ?? this.#random.pick(possible)).run(this.#now());
  }

  #submit(now: Date): SimulatedEvent {
    const row = this.#newRow(now);
    const chance = this.#random.fraction();
    if (chance < 0.02) return this.#fail(row, now);
    if (chance < 0.04) {
      return this.#refuse(row, now, statusCodes.templateDenied, "Denied by Policy Module");
    }
    if (!row.template.needsApproval) return this.#issue(row, now, "Issued");
    remember(this.#pending, row);
    return this.#rowEvent(exitEvents.pending, row);
  }

  #newRow(now: Date): RequestRow {
    this.#lastRequestId += 1;
    return this.#enrolment.request(this.#lastRequestId, now);
  }

  #issue(row: RequestRow, now: Date, message: string): SimulatedEvent {
    this.#sign(row, now, message);
    remember(this.#issued, row);
    return this.#rowEvent(exitEvents.issued, row);
  }

  #sign(row: RequestRow, now: Date, message: string): void {
    const serialNumber = this.#authority.serialNumber(row.requestId, this.#random);
    const { subject, key, extensions } = row;
    const { validityDays } = row.template;
    const issued = this.#authority.issue({
      serialNumber,
      subject,
      key,
      extensions,
      now,
      validityDays,
    });
    row.certificate = { serialNumber, ...issued };
    row.disposition = dispositions.issued;
    row.statusCode = 0;
    row.message = message;
    row.resolved = now;
  }

  #fail(row: RequestRow, now: Date): SimulatedEvent {
    const isUnparsable = this.#random.fraction() < 0.3;
    row.disposition = dispositions.failed;
    row.resolved = now;
    if (!isUnparsable) {
      row.statusCode = statusCodes.badRequestSignature;
      row.message = "Error Verifying Request Signature or Signing Certificate";
      return this.#rowEvent(exitEvents.denied, row);
    }
    row.statusCode = statusCodes.unparsable;
    row.message = "Error Parsing Request";
    const rawRequest = row.rawRequest?.subarray(0, 120) ?? Buffer.alloc(0);
    return this.#rowEvent(exitEvents.denied, { ...row, rawRequest, extensions: [] });
  }

  #refuse(row: RequestRow, now: Date, statusCode: number, message: string): SimulatedEvent {
    row.disposition = dispositions.denied;
    row.statusCode = statusCode;
    row.message = message;
    row.resolved = now;
    return this.#rowEvent(exitEvents.denied, row);
  }

  #approve(now: Date): SimulatedEvent {
    const row = this.#take(this.#pending);
    remember(this.#approved, row);
    return this.#issue(row, now, `Resubmitted by ${manager}\n`);
  }

  #deny(now: Date): SimulatedEvent {
    const row = this.#take(this.#pending);
    return this.#refuse(row, now, statusCodes.deniedByManager, `Denied by ${manager}\n`);
  }

  #retrieve(): SimulatedEvent {
    return this.#rowEvent(exitEvents.retrievePending, this.#take(this.#approved));
  }

  #revoke(now: Date): SimulatedEvent {
    const reason = this.#random.pick([0, 1, 3, 4, 4, 5]);
    return this.#rowEvent(
      exitEvents.revoked,
      this.#markRevoked(this.#take(this.#issued), reason, now),
    );
  }

  #hold(now: Date): SimulatedEvent {
    const row = this.#markRevoked(this.#take(this.#issued), 6, now);
    remember(this.#held, row);
    return this.#rowEvent(exitEvents.revoked, row);
  }

  #markRevoked(row: RequestRow, reason: number, now: Date): RequestRow {
    row.disposition = dispositions.revoked;
    row.message = `Revoked by ${manager}\n`;
    row.revocation = { reason, when: now };
    const serialNumber = row.certificate?.serialNumber;
    if (serialNumber) this.#authority.revoke({ serialNumber, revokedAt: now, reason });
    return row;
  }

  #release(now: Date): SimulatedEvent {
    const row = this.#take(this.#held);
    row.disposition = dispositions.issued;
    row.revocation = { reason: -1, when: now };
    if (row.certificate) this.#authority.release(row.certificate.serialNumber, now);
    remember(this.#issued, row);
    return this.#rowEvent(exitEvents.revoked, row);
  }

  #import(now: Date): SimulatedEvent {
    const { rawRequest: _, ...request } = this.#newRow(now);
    const row: RequestRow = {
      ...request,
      attributes: [],
      requestedSubject: request.subject,
      account: { ...request.account, samName: manager },
      caller: manager,
    };
    this.#sign(row, now, "Issued");
    return this.#rowEvent(exitEvents.imported, row);
  }

  #publish(kind: "base" | "delta", now: Date): SimulatedEvent {
    this.#authority.publishCrls(kind, now);
    const event = this.#caEvent(exitEvents.crlIssued);
    return { ...event, certificate: { ...event.certificate, ...this.#authority.crlProperties() } };
  }

  #caEvent(event: number): SimulatedEvent {
    const certificate = this.#authority.properties;
    return { event, context: 0, request: {}, certificate, attributes: [], extensions: [] };
  }

  #rowEvent(event: number, row: RequestRow): SimulatedEvent {
    const content = rowContent(row);
    const certificate = { ...this.#authority.properties, ...content.certificate };
    return { event, context: row.requestId, ...content, certificate };
  }

  #take(rows: RequestRow[]): RequestRow {
    const [row] = rows.splice(this.#random.below(rows.length), 1);
    if (row === undefined) throw new RangeError("no row to take");
    return row;
  }
}

function remember(rows: RequestRow[], row: RequestRow): void {
  rows.push(row);
  if (rows.length > maxRemembered) rows.shift();
}
