import { resolve } from "node:path";
import { z } from "zod";
import { CertwireError } from "../../errors/certwire-error.ts";
import { maxPemBytes, readPemFile } from "../../files/text-file.ts";
import type { ClientCredentials } from "../../kafka/client-credentials.ts";
import { extensionsProblem, type SaslExtensions } from "../../kafka/oauth-mechanism.ts";
import { tokenEndpointProblem } from "../../kafka/token-endpoint.ts";
import { pathOption } from "../path-option.ts";
import {
  passwordOf,
  type ReadSecret,
  type ResolveContext,
  secretReference,
} from "../secret-reference.ts";

/** Mechanisms of SASL with a user and a password. */
export const passwordMechanisms = ["plain", "scram-sha-256", "scram-sha-512"] as const;

const oauth = z.strictObject({
  tokenEndpoint: z
    .string()
    .superRefine((text, context) => {
      const message = tokenEndpointProblem(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .describe("`https://` URL of the token endpoint; `http://` only on this machine."),
  clientId: z.string().min(1).describe("Client ID at the token endpoint."),
  clientSecret: secretReference.describe("Client secret, by reference."),
  scope: z
    .string()
    .min(1)
    .optional()
    .describe("Scope to ask for; several with spaces between them. Default: that of the server."),
  clientAuthentication: z
    .enum(["basic", "post"])
    .default("basic")
    .describe("How the endpoint gets ID and secret: `basic` in a header, `post` in the body."),
  caFile: pathOption()
    .optional()
    .describe(
      "PEM file with the CA certificates to trust for the token endpoint. Default: those that come with Node.js.",
    ),
  extensions: z
    .record(z.string(), z.string())
    .superRefine((extensions, context) => {
      const message = extensionsProblem(extensions);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .optional()
    .describe(
      "SASL extensions that the broker wants with the token, by name, such as `logicalCluster` of Confluent Cloud.",
    ),
  timeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(5000)
    .describe("Longest wait for the token endpoint's answer, in ms."),
});

const aws = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, "must be the name of a region such as eu-central-1")
    .describe("AWS region of the cluster."),
});

/** Schema of `sasl`. */
export const saslOptions = z
  .strictObject({
    mechanism: z
      .enum([...passwordMechanisms, "oauthbearer", "aws-msk-iam"])
      .describe(
        "SASL mechanism. `oauthbearer` gets tokens by OAuth 2.0 client credentials (`oauth`), `aws-msk-iam` from AWS IAM (`aws`) and needs the package `aws-msk-iam-sasl-signer-js`.",
      ),
    username: z.string().min(1).optional().describe("User name, with `plain` and `scram-...`."),
    password: secretReference
      .optional()
      .describe("Password, by reference, with `plain` and `scram-...`."),
    oauth: oauth.optional().describe("Where tokens come from, with `oauthbearer`."),
    aws: aws.optional().describe("Where the cluster is, with `aws-msk-iam`."),
  })
  .superRefine((entry, context) => {
    const needed = keysOf(entry.mechanism);
    for (const key of allKeys) {
      const isNeeded = needed.includes(key);
      if (isNeeded === (entry[key] !== undefined)) continue;
      const message = isNeeded ? "is missing" : `is not for the mechanism ${entry.mechanism}`;
      context.addIssue({ code: "custom", path: [key], message });
    }
  });

type SaslEntry = z.infer<typeof saslOptions>;
type SaslKey = "username" | "password" | "oauth" | "aws";
const allKeys: readonly SaslKey[] = ["username", "password", "oauth", "aws"];

function keysOf(mechanism: SaslEntry["mechanism"]): readonly SaslKey[] {
  if (mechanism === "oauthbearer") return ["oauth"];
  return mechanism === "aws-msk-iam" ? ["aws"] : ["username", "password"];
}

/** A user and a password. */
export interface PasswordSasl {
  readonly mechanism: (typeof passwordMechanisms)[number];
  readonly username: string;
  /** Reads the password, for each connection; never log it. Throws a CertwireError. */
  readonly password: ReadSecret;
}

/** Tokens of a token endpoint. */
export interface OauthSasl {
  readonly mechanism: "oauthbearer";
  readonly credentials: ClientCredentials;
  readonly extensions: SaslExtensions;
  /** PEM file with the CA certificates to trust for the token endpoint. */
  readonly caFile?: string;
}

/** Tokens of AWS IAM. */
export interface AwsSasl {
  readonly mechanism: "aws-msk-iam";
  readonly region: string;
}

/** Credentials for a Kafka cluster. */
export type ResolvedSasl = PasswordSasl | OauthSasl | AwsSasl;

/** Resolves an entry that the schema has accepted. */
export function resolveSasl(entry: SaslEntry, context: ResolveContext): ResolvedSasl {
  const { mechanism, username = "", password, oauth: settings, aws: place } = entry;
  if (mechanism === "oauthbearer") {
    if (settings === undefined)
      throw new TypeError("the schema lets no oauthbearer pass without oauth");
    return resolveOauth(settings, context);
  }
  if (mechanism === "aws-msk-iam") return { mechanism, region: place?.region ?? "" };
  if (password === undefined)
    throw new TypeError(`the schema lets no ${mechanism} pass without password`);
  return { mechanism, username, password: passwordOf(password, context) };
}

function resolveOauth(settings: z.infer<typeof oauth>, context: ResolveContext): OauthSasl {
  const { tokenEndpoint, clientId, scope, clientAuthentication, timeoutMs, extensions } = settings;
  const caFile = settings.caFile && resolve(context.baseDirectory, settings.caFile);
  const credentials: ClientCredentials = {
    tokenEndpoint,
    clientId,
    clientSecret: passwordOf(settings.clientSecret, context),
    clientAuthentication,
    timeoutMs,
    ...(scope !== undefined && { scope }),
    ...(caFile !== undefined && { ca: () => readCa(caFile) }),
  };
  return {
    mechanism: "oauthbearer",
    credentials,
    extensions: extensions ?? {},
    ...(caFile !== undefined && { caFile }),
  };
}

function readCa(file: string): string {
  try {
    return readPemFile(file, maxPemBytes);
  } catch (cause) {
    throw new CertwireError(
      "CERTWIRE_SINK_CONFIG",
      "the file in sasl.oauth.caFile cannot be used",
      {
        cause,
        hint: "`certwire check --offline` says why.",
      },
    );
  }
}
