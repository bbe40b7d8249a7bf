import type { SimulatedEvent } from "../native/addon.ts";
import {
  CertificationAuthority,
  importedRow,
  manager,
  statusCodes,
} from "./certification-authority.ts";
import { Enrolment } from "./enrolment.ts";
import { IssuingAuthority } from "./issuing-authority.ts";
import type { RequestRow } from "./request-row.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Settings of a simulated CA. */
export interface SimulatedCaOptions {
  /** The same seed and the same times make the same events, byte for byte. */
  readonly seed: string | number;
  /** Returns the time of the next event. Default: the machine's clock. */
  readonly now?: () => Date;
}

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
  readonly #ca: CertificationAuthority;
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
    { weight: 1, run: (now) => this.#ca.publish("base", now) },
    { weight: 3, run: (now) => this.#ca.publish("delta", now) },
  ];

  constructor(options: SimulatedCaOptions) {
    const random = new SeededRandom(options.seed);
    this.#random = random.branch("operations");
    this.#now = options.now ?? (() => new Date());
    const authority = new IssuingAuthority(random.branch("authority"), this.#now());
    this.#ca = new CertificationAuthority(authority, this.#random);
    this.#enrolment = new Enrolment(random.branch("enrolment"), authority);
  }

  /** Name of the CA, as the exit module gets it. */
  get name(): string {
    return this.#ca.authority.name;
  }

  /** The CA's certificate in DER. */
  get certificate(): Buffer {
    return this.#ca.authority.certificate;
  }

  /** The event that the exit module itself records when the CA starts. */
  started(): SimulatedEvent {
    return this.#ca.started();
  }

  /** The event of a CA that stops. */
  stopped(): SimulatedEvent {
    return this.#ca.stopped();
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
      const statusCode = statusCodes.templateDenied;
      return this.#ca.deny(row, now, { statusCode, message: "Denied by Policy Module" });
    }
    if (!row.template.needsApproval) return this.#issue(row, now, "Issued");
    remember(this.#pending, row);
    return this.#ca.pend(row);
  }

  #newRow(now: Date): RequestRow {
    this.#lastRequestId += 1;
    return this.#enrolment.request(this.#lastRequestId, now);
  }

  #issue(row: RequestRow, now: Date, message: string): SimulatedEvent {
    remember(this.#issued, row);
    return this.#ca.issue(row, now, message);
  }

  #fail(row: RequestRow, now: Date): SimulatedEvent {
    const isUnparsable = this.#random.fraction() < 0.3;
    if (isUnparsable) {
      const statusCode = statusCodes.unparsable;
      return this.#ca.fail(row, now, { statusCode, message: "Error Parsing Request" });
    }
    const message = "Error Verifying Request Signature or Signing Certificate";
    return this.#ca.fail(row, now, { statusCode: statusCodes.badRequestSignature, message });
  }

  #approve(now: Date): SimulatedEvent {
    const row = this.#take(this.#pending);
    remember(this.#approved, row);
    return this.#issue(row, now, `Resubmitted by ${manager}\n`);
  }

  #deny(now: Date): SimulatedEvent {
    const statusCode = statusCodes.deniedByManager;
    const message = `Denied by ${manager}\n`;
    return this.#ca.deny(this.#take(this.#pending), now, { statusCode, message });
  }

  #retrieve(): SimulatedEvent {
    return this.#ca.retrieve(this.#take(this.#approved));
  }

  #revoke(now: Date): SimulatedEvent {
    const reason = this.#random.pick([0, 1, 3, 4, 4, 5]);
    return this.#ca.revoke(this.#take(this.#issued), now, { reason });
  }

  #hold(now: Date): SimulatedEvent {
    const row = this.#take(this.#issued);
    remember(this.#held, row);
    return this.#ca.revoke(row, now, { reason: 6 });
  }

  #release(now: Date): SimulatedEvent {
    const row = this.#take(this.#held);
    remember(this.#issued, row);
    return this.#ca.release(row, now);
  }

  #import(now: Date): SimulatedEvent {
    return this.#ca.import(importedRow(this.#newRow(now)), now);
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
