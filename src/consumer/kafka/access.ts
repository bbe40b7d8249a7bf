import { readFileSync } from "node:fs";
import type { KafkaConfig } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import { fetchWithCredentials } from "../../kafka/client-credentials.ts";
import { fetchFromIam } from "../../kafka/msk-iam.ts";
import { extensionsProblem, oauthMechanism } from "../../kafka/oauth-mechanism.ts";
import { tokenEndpointProblem } from "../../kafka/token-endpoint.ts";
import { TokenKeeper } from "../../kafka/token-keeper.ts";
import { type ConsumerLogger, silentLogger } from "../logger.ts";
import { assertText } from "../options.ts";

/** What a kafkajs client takes as `sasl`. */
export type KafkaAccess = NonNullable<KafkaConfig["sasl"]>;

/** Where a consumer gets its tokens: the client credentials grant of OAuth 2.0. */
export interface OAuthBearerOptions {
  /** `https://` URL of the token endpoint; `http://` only on this machine. */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** The client secret. A function is called for each token, so that a new secret takes effect. */
  readonly clientSecret: string | (() => string);
  /** Scope to ask for; several with spaces between them. Default: that of the server. */
  readonly scope?: string;
  /** How the endpoint gets ID and secret: `basic` in a header, `post` in the body. Default `basic`. */
  readonly clientAuthentication?: "basic" | "post";
  /**
   * PEM file with the CA certificates to trust for the token endpoint, read for each token. Default: those that come
   * with Node.js.
   */
  readonly caFile?: string;
  /** SASL extensions that the broker wants with the token, such as `logicalCluster` of Confluent Cloud. Default none. */
  readonly extensions?: Readonly<Record<string, string>>;
  /** Longest wait for the token endpoint, in ms. Default 5000. */
  readonly timeoutMs?: number;
  /** Gets a warning when a token cannot be renewed. Default: nothing is logged. */
  readonly log?: ConsumerLogger;
}

/** Where a cluster of Amazon MSK is. */
export interface AwsMskIamOptions {
  /** AWS region of the cluster, such as `eu-central-1`. */
  readonly region: string;
  /** Gets a warning when a token cannot be renewed. Default: nothing is logged. */
  readonly log?: ConsumerLogger;
}

/**
 * SASL OAUTHBEARER for `client.sasl` of `kafkaTopic`. Tokens are renewed before they end, and all connections of the
 * consumer share one. Throws CERTWIRE_CONSUMER_OPTIONS if an option is invalid.
 *
 * ```ts
 * const sasl = oauthBearer({
 *   tokenEndpoint: "https://login.example/token",
 *   clientId: "inventory",
 *   clientSecret: () => process.env["INVENTORY_SECRET"] ?? "",
 * })
 * kafkaTopic({ client: { brokers: ["broker:9093"], ssl: true, sasl }, topic: "certificates", groupId: "inventory" })
 * ```
 */
export function oauthBearer(options: OAuthBearerOptions): KafkaAccess {
  const { clientSecret, caFile, extensions = {}, log = silentLogger, ...rest } = options;
  assertText("clientId", options.clientId);
  if (typeof clientSecret !== "function") assertText("clientSecret", clientSecret);
  assertNo("tokenEndpoint", tokenEndpointProblem(options.tokenEndpoint));
  assertNo("extensions", extensionsProblem(extensions));
  const readSecret = typeof clientSecret === "function" ? clientSecret : () => clientSecret;
  const fetch = fetchWithCredentials({
    clientAuthentication: "basic",
    timeoutMs: 5000,
    ...rest,
    clientSecret: readSecret,
    ...(caFile !== undefined && { ca: () => readFileSync(caFile, "utf8") }),
  });
  return oauthMechanism(new TokenKeeper(fetch, log), extensions);
}

/**
 * Access to Amazon MSK by AWS IAM, for `client.sasl` of `kafkaTopic`. Needs the package `aws-msk-iam-sasl-signer-js`,
 * which takes the credentials that the AWS SDK finds. Throws CERTWIRE_CONSUMER_OPTIONS if an option is invalid.
 */
export function awsMskIam({ region, log = silentLogger }: AwsMskIamOptions): KafkaAccess {
  assertText("region", region);
  return oauthMechanism(new TokenKeeper(fetchFromIam(region), log));
}

function assertNo(name: string, problem: string | undefined): void {
  if (problem === undefined) return;
  throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", `${name}: ${problem}`);
}
