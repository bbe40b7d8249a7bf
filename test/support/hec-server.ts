import { type SiemAnswer, type SiemRequest, SiemServer } from "./siem-server.ts";

/** An event as the collector takes it, with its metadata. */
export interface HecEvent {
  readonly time: number;
  readonly host?: string;
  readonly source?: string;
  readonly sourcetype?: string;
  readonly index?: string;
  readonly event: Readonly<Record<string, unknown>>;
}

/** A token of the collector. */
interface HecToken {
  readonly token: string;
  /** Indexes that it may write into. */
  readonly indexes: readonly string[];
  /** True if a client must ask whether events are indexed. */
  readonly acknowledgement?: boolean;
}

/** Metadata that is a text. */
const texts = ["host", "source", "sourcetype", "index"] as const;
const metadata: ReadonlySet<string> = new Set(["time", "event", ...texts]);
const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Largest body that is taken, in bytes. */
const maxBodyBytes = 1_000_000;

/**
 * A stand-in of Splunk's HTTP Event Collector that takes nothing but the published format: JSON objects one after the
 * other, each with `event` and known metadata. It answers with the published codes.
 */
export class HecServer extends SiemServer {
  /** All events that were taken, those that came twice too. */
  readonly events: HecEvent[] = [];
  /** What was wrong with requests, in words. */
  readonly violations: string[] = [];
  /** Whether events are indexed at once; otherwise they wait for `index`. */
  indexesAtOnce = true;
  readonly #token: HecToken;
  /** By channel and id: whether the events are indexed. */
  readonly #acks = new Map<string, boolean>();
  #nextAck = 0;

  constructor(token: HecToken, tls?: ConstructorParameters<typeof SiemServer>[0]) {
    super(tls);
    this.#token = token;
  }

  /** Indexes what waits for it. */
  index(): void {
    for (const id of this.#acks.keys()) this.#acks.set(id, true);
  }

  protected answer(request: SiemRequest): SiemAnswer {
    const { method, path, headers, body } = request;
    if (method !== "POST") return this.#refuse(405, 0, "only POST");
    const refusal = this.#authorize(headers.authorization);
    if (refusal !== undefined) return refusal;
    if (headers["content-type"] !== "application/json") {
      return this.#refuse(400, 6, "the content type is not application/json");
    }
    if (Buffer.byteLength(body) > maxBodyBytes) return this.#refuse(413, 6, "too large");
    const channel = String(headers["x-splunk-request-channel"] ?? "");
    if (this.#token.acknowledgement) {
      if (channel === "") return this.#refuse(400, 10, "Data channel is missing");
      if (!guid.test(channel)) return this.#refuse(400, 11, "Invalid data channel");
    }
    if (path === "/services/collector/event") return this.#take(body, channel);
    if (path === "/services/collector/ack") return this.#answerAcks(body, channel);
    return this.#refuse(404, 404, `no such path: ${path}`);
  }

  #authorize(authorization: string | undefined): SiemAnswer | undefined {
    if (authorization === undefined) return this.#refuse(401, 2, "Token is required");
    const [, token] = /^Splunk (.+)$/.exec(authorization) ?? [];
    if (token === undefined) return this.#refuse(401, 3, "Invalid authorization");
    return token === this.#token.token ? undefined : this.#refuse(403, 4, "Invalid token");
  }

  #take(body: string, channel: string): SiemAnswer {
    const objects = objectsIn(body);
    if (objects === undefined) return this.#refuse(400, 6, "Invalid data format");
    if (objects.length === 0) return this.#refuse(400, 5, "No data");
    for (const each of objects) {
      const [code, text] = this.#violationIn(each) ?? [];
      if (code !== undefined) return this.#refuse(400, code, text ?? "");
    }
    this.events.push(...(objects as unknown as HecEvent[]));
    const success = { text: "Success", code: 0 };
    if (!this.#token.acknowledgement) return { status: 200, body: success };
    const ackId = this.#nextAck;
    this.#nextAck += 1;
    this.#acks.set(`${channel} ${ackId}`, this.indexesAtOnce);
    return { status: 200, body: { ...success, ackId } };
  }

  #violationIn(each: Readonly<Record<string, unknown>>): [code: number, text: string] | undefined {
    const { time, event, index } = each;
    if (event === undefined) return [12, "Event field is required"];
    if (event === "" || (typeof event === "object" && Object.keys(event ?? {}).length === 0)) {
      return [13, "Event field cannot be blank"];
    }
    const stray = Object.keys(each).find((name) => !metadata.has(name));
    if (stray !== undefined) return [6, `unknown metadata: ${stray}`];
    const wrong = texts.find((name) => each[name] === "" || typeof (each[name] ?? "x") !== "string");
    if (wrong !== undefined) return [6, `${wrong} is not a text`];
    if (!isTime(time)) return [6, `time is not in seconds since 1970: ${String(time)}`];
    const isAllowed = index === undefined || this.#token.indexes.includes(String(index));
    return isAllowed ? undefined : [7, "Incorrect index"];
  }

  /** An id that was acknowledged is forgotten with the answer. */
  #answerAcks(body: string, channel: string): SiemAnswer {
    if (!this.#token.acknowledgement) return this.#refuse(400, 14, "ACK is disabled");
    const { acks } = JSON.parse(body) as { acks: number[] };
    const answers = acks.map((ackId) => {
      const key = `${channel} ${ackId}`;
      const isIndexed = this.#acks.get(key) === true;
      if (isIndexed) this.#acks.delete(key);
      return [ackId, isIndexed] as const;
    });
    return { status: 200, body: { acks: Object.fromEntries(answers) } };
  }

  #refuse(status: number, code: number, text: string): SiemAnswer {
    this.violations.push(`${code} ${text}`);
    return { status, body: { text, code } };
  }
}

/** Seconds since 1970 with at most milliseconds; a number of milliseconds would be a year after 30000. */
function isTime(time: unknown): boolean {
  return typeof time === "number" && time > 0 && time < 1e11 && /^\d+(?:\.\d{1,3})?$/.test(`${time}`);
}

/** The JSON objects of a body, one after the other; `undefined` if there is anything else. */
function objectsIn(body: string): Record<string, unknown>[] | undefined {
  const objects: Record<string, unknown>[] = [];
  let rest = body.trimStart();
  while (rest !== "") {
    const end = endOfObject(rest);
    if (end === undefined) return undefined;
    try {
      objects.push(JSON.parse(rest.slice(0, end)) as Record<string, unknown>);
    } catch {
      return undefined;
    }
    rest = rest.slice(end).trimStart();
  }
  return objects;
}

/** Where the object at the start of a text ends. */
function endOfObject(text: string): number | undefined {
  if (!text.startsWith("{")) return undefined;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === "{") depth += 1;
    else if (token === "}") depth -= 1;
    if (depth === 0) return index + token.length;
  }
  return undefined;
}
