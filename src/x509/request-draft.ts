import { DerReport } from "./der-report.ts";
import { requestAttributeNames } from "./oid-names.ts";
import type { NameValuePair, ParsedRequest, RequestSigner } from "./parsed-request.ts";
import { DerError } from "./reader.ts";

/** Messages in a request, one in the other or side by side; Windows makes three at the most. */
const maxMessages = 8;

/**
 * Members of each list of a request that an event shows. A requester may write thousands, each of which could
 * take far more space in the event than in the request.
 */
const maxMembers = { attributes: 128, signers: 8, otherAttributes: 32 } as const;

/** A request while it is read: what was found, the problems, and what the limits count. */
export class RequestDraft {
  readonly request: ParsedRequest = {};
  readonly report = new DerReport();
  /** OIDs of the extensions in all lists so far. */
  readonly seenExtensions = new Set<string>();
  /** The values of attributes and controls so far, by OID. */
  readonly #seenAttributes = new Map<string, Buffer>();
  #messages = 0;
  #hasRequest = false;

  /** True once the certification request itself was found. */
  get hasRequest(): boolean {
    return this.#hasRequest;
  }

  /** Passes the report of a part to `read`, and reports malformed DER there instead of throwing. */
  attempt(part: string, read: (own: DerReport) => void): void {
    const own = this.report.at(part);
    own.attempt(() => read(own));
  }

  /** Sets the form of the outermost message. */
  setFormat(format: NonNullable<ParsedRequest["format"]>): void {
    this.request.format ??= format;
  }

  /** Counts a message. Throws `DerError` after the last one that is read. */
  enterMessage(): void {
    this.#messages += 1;
    if (this.#messages > maxMessages) throw new DerError(`more than ${maxMessages} messages`);
  }

  /** False, with a problem, if the certification request was found before: AD CS accepts only one. */
  enterRequest(): boolean {
    if (this.#hasRequest) this.report.at("requests").add("more than one; the first one counts");
    const isFirst = !this.#hasRequest;
    this.#hasRequest = true;
    return isFirst;
  }

  /**
   * True for the first attribute with this OID. Another one with other values throws `DerError`; Windows writes the
   * same ones in a request and in the message around it.
   */
  enterAttribute(oid: string, values: Buffer): boolean {
    const first = this.#seenAttributes.get(oid);
    if (first === undefined) this.#seenAttributes.set(oid, values);
    else if (!first.equals(values)) throw new DerError("occurs twice; the first one counts");
    return first === undefined;
  }

  addPair(pair: NameValuePair): void {
    this.#add("attributes", (this.request.attributes ??= []), pair);
  }

  addSigner(signer: RequestSigner): void {
    this.#add("signers", (this.request.signers ??= []), signer);
  }

  /** Adds an attribute or control that is only named. */
  addOther(oid: string): void {
    const others = (this.request.otherAttributes ??= []);
    if (others.some((other) => other.oid === oid)) return;
    const name = requestAttributeNames.get(oid);
    this.#add("otherAttributes", others, name === undefined ? { oid } : { oid, name });
  }

  #add<T>(list: keyof typeof maxMembers, members: T[], member: T): void {
    if (members.length < maxMembers[list]) members.push(member);
    else this.report.at(list).add(`more than ${maxMembers[list]}; this one is left out`);
  }
}
