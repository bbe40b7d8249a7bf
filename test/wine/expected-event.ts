// Compares published events with what a scenario served, without the product's code: `Content` comes
// from the scenario file (expected.ts), the event from a client of the broker that is not ours.
import { createHash } from "node:crypto";
import type { Content, Form } from "./support/recorded.ts";

/** A CloudEvent as a consumer reads it. */
export interface PublishedEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly partitionkey: string;
  /** Sorts as the journal does; the events of one record share it. */
  readonly sequence: string;
  readonly data: Data;
}

type Data = Readonly<Record<string, unknown>>;

const crlIssued = 0x20;
const kindsByEvent: Readonly<Record<number, string>> = {
  0x1: "certificate.issued",
  0x2: "request.pending",
  0x10: "request.retrieved",
  0x20: "crl.issued",
  0x40: "ca.stopped",
  0x80: "ca.started",
  0x200: "certificate.imported",
};

/** Keys that do not follow from the CA's name. */
const keys: Readonly<Record<string, string>> = {
  EMail: "email",
  PrivatekeyFlags: "privateKeyFlags",
  fUseDS: "useDs",
  fDeltaCRLsDisabled: "deltaCrlsDisabled",
  fServerUpgraded: "serverUpgraded",
  RevokedReason: "reason",
  RevokedEffectiveWhen: "effectiveWhen",
};

/** The type, without prefix and version, of the events of a record. */
export function expectedKind({ event, request }: Content): string {
  const disposition = request["Disposition"];
  if (event === 0x4 && disposition === "long:31") return "request.denied";
  if (event === 0x4 && disposition === "long:30") return "request.failed";
  if (event === 0x8 && disposition === "long:21") return "certificate.revoked";
  const isReleased = disposition === "long:20" && request["RevokedReason"] === "long:-1";
  if (event === 0x8 && isReleased) return "certificate.unrevoked";
  return kindsByEvent[event] ?? "ca.unrecognized";
}

/** The CRLs of a record of which an event of its own is published: those with the highest number. */
export function newestCrls({ crls }: Content): string[] {
  const numbers = crls.map(crlNumber);
  const highest = numbers.reduce((most, number) => (number > most ? number : most), -1n);
  return crls.filter((_, index) => numbers[index] === highest);
}

function crlNumber(crl: string): bigint {
  const der = bytesOf(crl);
  const oid = der.indexOf(Buffer.from("0603551d14", "hex"));
  if (oid < 0) return -1n;
  // OCTET STRING, length, INTEGER, length, number.
  const length = der[oid + 8] ?? 0;
  return BigInt(`0x${der.subarray(oid + 9, oid + 9 + length).toString("hex")}`);
}

/** How the service publishes requests: as length and hash, or whole without passwords. */
export type RequestForm = "hashed" | "whole";

/** Differences between an event and the record it stands for, one line each. */
export function eventDifferences(
  expected: Content,
  event: PublishedEvent,
  requests: RequestForm = "hashed",
): string[] {
  return new EventComparison(expected, event.data, requests).differences(event.type);
}

class EventComparison {
  readonly #expected: Content;
  readonly #data: Data;
  readonly #requests: RequestForm;
  readonly #found: string[] = [];

  constructor(expected: Content, data: Data, requests: RequestForm) {
    this.#expected = expected;
    this.#data = data;
    this.#requests = requests;
  }

  differences(type: string): string[] {
    const { event, context, request, certificate, ca, errors } = this.#expected;
    this.#check("type", type, `io.certwire.${expectedKind(this.#expected)}.v1`);
    const notify = this.#group("notify");
    this.#check("notify", [notify["event"], notify["context"]], [event, context]);
    for (const [name, form] of Object.entries(request)) this.#checkRequest(name, form);
    for (const [name, form] of Object.entries(certificate)) this.#checkCertificate(name, form);
    for (const [name, form] of Object.entries(ca)) this.#checkCa(name, form);
    this.#checkAttributes();
    this.#checkExtensions();
    if (event === crlIssued) this.#checkCrl();
    for (const error of errors) this.#checkError(error);
    return this.#found;
  }

  #group(name: string): Data {
    return (this.#data[name] ?? {}) as Data;
  }

  #check(what: string, got: unknown, wanted: unknown): void {
    const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
    if (a !== b) this.#found.push(`${what}: expected ${b?.slice(0, 80)}, got ${a?.slice(0, 80)}`);
  }

  #checkRequest(name: string, form: Form): void {
    const group = this.#group(name.startsWith("Revoked") ? "revocation" : "request");
    if (name === "RawRequest") {
      const digest = digestOf(bytesOf(form));
      const der = withoutPassword(bytesOf(form)).toString("base64");
      const value = this.#requests === "whole" ? { ...digest, der } : digest;
      this.#check(`request.${name}`, group["rawRequest"], value);
    } else {
      this.#checkValue(`request.${name}`, group, keyOf(name), form);
    }
  }

  #checkCertificate(name: string, form: Form): void {
    if (name === "RawCertificate") {
      this.#checkValue(`certificate.${name}`, this.#group("certificate"), "der", form);
    } else {
      const group = this.#group("certificateProperties");
      this.#checkValue(`certificate.${name}`, group, keyOf(name), form);
    }
  }

  #checkCa(name: string, form: Form): void {
    const ca = this.#group("ca");
    const [plain = "", index] = name.split(".");
    const all = (ca["certificates"] ?? []) as readonly Data[];
    const group = index === undefined ? ca : all.find((one) => one["index"] === Number(index));
    this.#checkValue(`ca.${name}`, group ?? {}, keyOf(plain), form);
  }

  /** A value of a group; what is too large for the event is absent, and named with length and hash. */
  #checkValue(name: string, group: Data, key: string, form: Form): void {
    const got = group[key];
    const content = form.slice(form.indexOf(":") + 1);
    if (form.startsWith("long:")) {
      const number = Number(content);
      const hex = `0x${(number >>> 0).toString(16).padStart(8, "0")}`;
      const isShown = got === number || group[`${key}Code`] === number;
      if (!isShown) this.#check(name, String(got).toLowerCase(), hex);
    } else if (form.startsWith("date:")) {
      const date = dateText(bytesOf(form));
      if (date === undefined) this.#checkProblem(name, "range");
      else this.#check(name, got, date);
    } else if (form.startsWith("utf16:")) {
      this.#checkProblem(name, "text", bytesOf(form).toString("base64"));
    } else if (form.startsWith("digest:")) {
      const [length, sha256] = content.split(" ");
      this.#check(name, got, { length: Number(length), sha256 });
    } else if (got === undefined) {
      const bytes = form.startsWith("text:") ? Buffer.from(content, "utf8") : bytesOf(form);
      this.#checkOmitted(name, digestOf(bytes));
    } else {
      const wanted = form.startsWith("text:") ? content : bytesOf(form).toString("base64");
      this.#check(name, got, wanted);
    }
  }

  #checkAttributes(): void {
    const shown = ((this.#data["attributes"] ?? []) as readonly Data[]).map((attribute) =>
      attribute["redacted"] === true
        ? `text:${String(attribute["name"])} = redacted:`
        : `text:${String(attribute["name"])} = text:${String(attribute["value"])}`,
    );
    const readable = this.#expected.attributes.filter((text) => !text.includes("utf16:"));
    this.#check(
      "attributes",
      shown.filter((text) => !text.includes("\ufffd")),
      readable,
    );
  }

  #checkExtensions(): void {
    const shown = ((this.#data["extensions"] ?? []) as readonly Data[]).map(
      ({ oid, flags, der }) =>
        `text:${String(oid)} long:${String(flags)} binary:${Buffer.from(String(der), "base64").toString("hex")}`,
    );
    const readable = this.#expected.extensions.filter((text) => !text.startsWith("utf16:"));
    this.#check(
      "extensions",
      shown.filter((text) => !text.includes("\ufffd")),
      readable,
    );
  }

  /** The CRL of this event is one of the newest; all others of the record are named with their hash. */
  #checkCrl(): void {
    const { index, kind, der, sha256, length } = this.#group("crl");
    const kinds = ["base", "delta"];
    const all = this.#expected.crls.map((crl) => {
      const [place = "", which = "long:0"] = crl.split(" ");
      const bytes = bytesOf(crl);
      const hash = digestOf(bytes).sha256;
      return {
        crl,
        bytes,
        place: Number(place.slice(5)),
        kind: kinds[Number(which.slice(5))],
        hash,
      };
    });
    const own = all.find((crl) => crl.place === index && crl.kind === kind && crl.hash === sha256);
    if (own === undefined || !newestCrls(this.#expected).includes(own.crl)) {
      this.#found.push(`crl: ${String(kind)} of ${String(index)} is none of the newest`);
      return;
    }
    this.#check("crl.length", length, own.bytes.length);
    if (der === undefined) this.#checkOmitted("crl.der", digestOf(own.bytes));
    else this.#check("crl.der", der, own.bytes.toString("base64"));
    const others = (this.#data["current"] ?? []) as readonly Data[];
    const hashes = others.map((other) => String(other["sha256"]));
    const wanted = all.filter((crl) => crl !== own).map(({ hash }) => hash);
    this.#check("current", hashes, wanted);
  }

  #checkError(error: string): void {
    const space = error.lastIndexOf(" ");
    const [name, reason] = [error.slice("text:".length, space), error.slice(space + 1)];
    const isCode = reason.startsWith("0x");
    const isNamed = this.#problems().some(
      (problem) =>
        problem["property"] === name &&
        (isCode ? String(problem["hresult"]).toLowerCase() : problem["reason"]) === reason,
    );
    if (!isNamed) this.#found.push(`problem not named: ${error}`);
  }

  #checkProblem(property: string, reason: string, utf16?: string): void {
    const isNamed = this.#problems().some(
      (problem) =>
        problem["property"] === property &&
        problem["reason"] === reason &&
        (utf16 === undefined || problem["utf16"] === utf16),
    );
    if (!isNamed) this.#found.push(`problem not named: ${property} ${reason}`);
  }

  #checkOmitted(name: string, digest: ReturnType<typeof digestOf>): void {
    const isNamed = this.#problems().some(
      ({ reason, length, sha256 }) =>
        reason === "omitted" && length === digest.length && sha256 === digest.sha256,
    );
    if (!isNamed) this.#found.push(`neither shown nor named as omitted: ${name}`);
  }

  #problems(): readonly Data[] {
    return (this.#data["problems"] ?? []) as readonly Data[];
  }
}

/** `MachineDNSName` as `machineDnsName`. */
function keyOf(name: string): string {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+/g) ?? [];
  const [first = "", ...rest] = words.map((word) => word.toLowerCase());
  return keys[name] ?? first + rest.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
}

/** The bytes at the end of a form. */
function bytesOf(form: Form): Buffer {
  return Buffer.from(form.slice(form.lastIndexOf(":") + 1), "hex");
}

function digestOf(bytes: Buffer): { length: number; sha256: string } {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { length: bytes.length, sha256 };
}

/** A request with the characters of its challenge password, if it has one, replaced by hyphens. */
function withoutPassword(request: Buffer): Buffer {
  const copy = Buffer.from(request);
  const oid = Buffer.from("06092a864886f70d010907", "hex");
  const at = copy.indexOf(oid);
  if (at < 0) return copy;
  // SET, length, string, length, characters; both lengths below 128.
  const length = at + oid.length + 3;
  return copy.fill("-", length + 1, length + 1 + (copy[length] ?? 0));
}

/** Days since 1899-12-30 as RFC 3339 in milliseconds; undefined outside of the years 100 to 9999. */
function dateText(bytes: Buffer): string | undefined {
  const days = bytes.readDoubleLE();
  if (!(days >= -657_434 && days < 2_958_466)) return undefined;
  const day = Math.trunc(days);
  return new Date(
    (day - 25_569) * 86_400_000 + Math.round(Math.abs(days - day) * 86_400_000),
  ).toISOString();
}
