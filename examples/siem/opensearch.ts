import { toEcs } from "./certwire.ts";
import { type Answer, isPassing, post } from "./http.ts";
import { type OpenSearchSettings, readSecret } from "./settings.ts";
import { accepted, forAll, type Outcome, type Siem } from "./siem.ts";

/** What `_bulk` says of one document. */
interface Item {
  readonly status: number;
  readonly error?: {
    readonly type?: string;
    readonly reason?: string;
    readonly caused_by?: { readonly reason?: string };
  };
}

/** The members of the answer that are read; the others only repeat the request. */
const answered = ["status", "error.type", "error.reason", "error.caused_by.reason"];
const filter = ["error.type", "error.reason", ...answered.map((name) => `items.create.${name}`)];

/**
 * OpenSearch or Elasticsearch, by `_bulk`. Each document has the id of its event and is created, never replaced, so an
 * event that is delivered again is there once.
 */
export function openSearch(settings: OpenSearchSettings): Siem {
  const { url, target, document } = settings;
  // A secret that is missing ends the program at its start.
  authorization(settings);
  const place = `${url.replace(/\/$/, "")}/${encodeURIComponent(target)}`;
  return {
    encode: (event) => {
      const source = document === "ecs" ? toEcs(event) : event;
      return `${JSON.stringify({ create: { _id: event.id } })}\n${JSON.stringify(source)}\n`;
    },
    send: async (parts) => {
      const headers = { "content-type": "application/x-ndjson", ...authorization(settings) };
      const answer = await post(
        `${place}/_bulk?filter_path=${filter.join()}`,
        headers,
        parts.join(""),
      );
      return outcomesOf(answer, parts);
    },
  };
}

/** Read for each request, so that a renewed secret in a file is used. */
function authorization({
  username,
  password,
  apiKey,
}: OpenSearchSettings): Readonly<Record<string, string>> {
  if (apiKey !== undefined) return { authorization: `ApiKey ${readSecret(apiKey)}` };
  if (username === undefined || password === undefined) return {};
  const pair = Buffer.from(`${username}:${readSecret(password)}`).toString("base64");
  return { authorization: `Basic ${pair}` };
}

function outcomesOf({ status, text, json }: Answer, parts: readonly string[]): readonly Outcome[] {
  const reason = `HTTP ${status} ${text.slice(0, 500)}`.trim();
  if (status === 413) return forAll(parts, { kind: "divide", reason });
  const items = status === 200 ? itemsIn(json) : [];
  if (items.length !== parts.length) {
    return forAll(parts, { kind: "later", reason, needsPerson: !isPassing(status) });
  }
  return items.map(outcomeOf);
}

function itemsIn(json: unknown): readonly Item[] {
  const { items } = Object(json) as { items?: readonly { create?: Item }[] };
  if (!Array.isArray(items)) return [];
  return items.map((item) => (Object(item) as { create?: Item }).create ?? { status: 0 });
}

/** A limit of the index, which says nothing about the document. */
const indexIsFull = /limit of total fields|number of nested/i;

function outcomeOf({ status, error }: Item): Outcome {
  // 409: it is there already.
  if (status === 200 || status === 201 || status === 409) return accepted;
  const texts = [error?.type, error?.reason, error?.caused_by?.reason];
  const reason = `${status} ${texts.filter(Boolean).join(": ")}`.slice(0, 1000);
  if ((status === 400 || status === 413) && !indexIsFull.test(reason)) {
    return { kind: "refused", reason };
  }
  return { kind: "later", reason, needsPerson: !isPassing(status) };
}
