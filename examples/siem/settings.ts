import { readFileSync } from "node:fs";
import { z } from "zod";

/** Where a secret is; the settings never hold the secret itself. */
const secret = z.union(
  [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  { error: 'a secret is { "env": "NAME" } or { "file": "PATH" }' },
);

/** Requests add a path to it, and the log names it. */
const serverUrl = z
  .url({ protocol: /^https?$/, error: "an http:// or https:// URL", abort: true })
  .refine((url) => new URL(url).username === "" && new URL(url).password === "", {
    error: "a URL without a user and a password; they have settings of their own",
  })
  .refine((url) => !/[?#]/.test(url), { error: "a URL without a query (?) and a fragment (#)" });

const kafka = z.strictObject({
  brokers: z.array(z.string().min(1)).min(1),
  topic: z.string().min(1),
  group: z.string().min(1).default("siem"),
  tls: z.boolean().default(false),
  sasl: z
    .strictObject({
      mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
      username: z.string().min(1),
      password: secret,
    })
    .optional(),
});

const rabbitmq = z.strictObject({
  /** The whole URL of the server, since it holds the password. */
  url: secret,
  queue: z.string().min(1),
});

const opensearch = z
  .strictObject({
    url: serverUrl,
    /** A data stream, an index, or an alias of one. */
    target: z.string().min(1),
    /** `ecs`: the event in the Elastic Common Schema; `event`: all of it, as Certwire publishes it. */
    document: z.enum(["ecs", "event"]).default("ecs"),
    username: z.string().min(1).optional(),
    password: secret.optional(),
    apiKey: secret.optional(),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: "username and password belong together",
  })
  .refine(({ username, apiKey }) => username === undefined || apiKey === undefined, {
    error: "either a username or an API key",
  });

const splunk = z.strictObject({
  /** Of the HTTP Event Collector, without the path. */
  url: serverUrl,
  token: secret,
  index: z.string().min(1).optional(),
  source: z.string().min(1).default("certwire"),
  sourcetype: z.string().min(1).default("certwire"),
  /** True if the token has indexer acknowledgement: an event counts as accepted once it is indexed. */
  acknowledgement: z.boolean().default(false),
});

const settings = z
  .strictObject({
    kafka: kafka.optional(),
    rabbitmq: rabbitmq.optional(),
    opensearch: opensearch.optional(),
    splunk: splunk.optional(),
    /** File for what the SIEM refuses permanently. */
    refused: z.string().min(1).default("refused.ndjson"),
    /** Limits of a request. */
    batch: z
      .strictObject({
        events: z.int().min(1).max(10_000).default(500),
        bytes: z.int().min(1).default(1_000_000),
      })
      .prefault({}),
  })
  .refine((given) => (given.kafka === undefined) !== (given.rabbitmq === undefined), {
    error: "exactly one of kafka and rabbitmq must be there",
  })
  .refine((given) => (given.opensearch === undefined) !== (given.splunk === undefined), {
    error: "exactly one of opensearch and splunk must be there",
  });

export type Settings = z.infer<typeof settings>;
export type OpenSearchSettings = z.infer<typeof opensearch>;
export type SplunkSettings = z.infer<typeof splunk>;
export type SecretReference = z.infer<typeof secret>;

/** Reads and checks the settings. Throws an Error that says what is wrong, and where. */
export function readSettings(path: string): Settings {
  const text = readFileSync(path, "utf8");
  try {
    return parseSettings(JSON.parse(text), path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(`${path} is not JSON: ${error.message}`, { cause: error });
  }
}

/** Checks settings. Throws an Error that says what is wrong, and where in `path`. */
export function parseSettings(value: unknown, path: string): Settings {
  const { data, error } = settings.safeParse(value);
  if (error !== undefined) throw new Error(`${path} is not valid:\n${z.prettifyError(error)}`);
  return data;
}

/** The secret that a reference points to. Throws an Error that names the reference if it is missing or empty. */
export function readSecret(reference: SecretReference): string {
  if ("env" in reference) {
    const value = process.env[reference.env];
    if (value) return value;
    throw new Error(`the environment variable ${reference.env} is not set`);
  }
  const value = readFileSync(reference.file, "utf8").trim();
  if (value !== "") return value;
  throw new Error(`${reference.file} is empty; it must hold a secret`);
}
