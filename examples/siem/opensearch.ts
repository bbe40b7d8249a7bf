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

/** Errors that are about the document as a rule. Most other 400s are about the index or the cluster. */
const documentErrors: ReadonlySet<string | undefined> = new Set([
  "mapper_parsing_exception",
  // Of Elasticsearch since 8.8.
  "document_parsing_exception",
  "strict_dynamic_mapping_exception",
]);

/** What these say nevertheless of each document, until a person changes the index or the settings. */
const everyDocument =
  /^(?:Limit of |The depth of the field has exceeded|documents must contain a single-valued timestamp field|data stream timestamp field )/;

/** The `illegal_argument_exception` about a document: a term that is too long for the index. */
const immenseTerm = /^Document contains at least one immense term/;

function outcomeOf({ status, error = {} }: Item): Outcome {
  const { type, reason: text = "", caused_by: { reason: cause = "" } = {} } = error;
  // It is there already.
  const isThere = status === 409 && type === "version_conflict_engine_exception";
  if (status === 200 || status === 201 || isThere) return accepted;
  const reason = `${status} ${[type, text, cause].filter(Boolean).join(": ")}`.slice(0, 1000);
  if (status === 413) return { kind: "refused", reason };
  // Only the start of a text is the server's own: a value of the document may be in the rest.
  const isAboutDocument = documentErrors.has(type)
    ? !everyDocument.test(text) && !everyDocument.test(cause)
    : type === "illegal_argument_exception" && immenseTerm.test(text);
  if (status === 400 && isAboutDocument) return { kind: "refused", reason };
  return { kind: "later", reason, needsPerson: !isPassing(status) };
}
