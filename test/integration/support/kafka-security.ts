import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BrokerSecurity, TrustedTokens } from "./broker-security.ts";

/** TLS, TLS that demands a client certificate, a password over TLS, a token over TLS. */
export type SecureKafkaListener = "TLS" | "MUTUAL" | "SASL" | "OAUTH";

/** The secured listeners, with the protocol of each. */
export const secureKafkaListeners: Readonly<Record<SecureKafkaListener, string>> = {
  TLS: "SSL",
  MUTUAL: "SSL",
  SASL: "SASL_SSL",
  OAUTH: "SASL_SSL",
};

/** The secured listeners of a broker. */
export function listenersOf({ tokens }: BrokerSecurity): SecureKafkaListener[] {
  return tokens ? ["TLS", "MUTUAL", "SASL", "OAUTH"] : ["TLS", "MUTUAL", "SASL"];
}

const logins = "org.apache.kafka.common.security";

/** Lines of server.properties that secure these listeners; Kafka wants key and certificate in one file. */
export function kafkaSecurityProperties(
  directory: string,
  { certificates, username, password, tokens }: BrokerSecurity,
): Record<string, string> {
  const { caFile, broker } = certificates;
  const keystore = join(directory, "keystore.pem");
  const texts = [broker.keyFile, broker.certificateFile].map((file) => readFileSync(file, "utf8"));
  writeFileSync(keystore, texts.join(""));
  const sasl = "listener.name.sasl";
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keystore,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": caFile,
    "listener.name.mutual.ssl.client.auth": "required",
    [`${sasl}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    [`${sasl}.plain.sasl.jaas.config`]: `${logins}.plain.PlainLoginModule required user_${username}="${password}";`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: `${logins}.scram.ScramLoginModule required;`,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: `${logins}.scram.ScramLoginModule required;`,
    ...(tokens && tokenProperties(directory, tokens)),
  };
}

function tokenProperties(directory: string, tokens: TrustedTokens): Record<string, string> {
  const { jwks, issuer, audience } = tokens;
  writeFileSync(join(directory, jwksName), jwks);
  const oauth = "listener.name.oauth.oauthbearer.sasl";
  const handler = "OAuthBearerValidatorCallbackHandler";
  return {
    "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
    [`${oauth}.jaas.config`]: `${logins}.oauthbearer.OAuthBearerLoginModule required;`,
    [`${oauth}.server.callback.handler.class`]: `${logins}.oauthbearer.${handler}`,
    [`${oauth}.oauthbearer.jwks.endpoint.url`]: jwksUrl(directory),
    [`${oauth}.oauthbearer.expected.issuer`]: issuer,
    [`${oauth}.oauthbearer.expected.audience`]: audience,
  };
}

const jwksName = "jwks.json";

function jwksUrl(directory: string): string {
  return pathToFileURL(join(directory, jwksName)).href;
}

/** Options of the Java machine with which Kafka reads the keys of a token server from a file. */
export function tokenJavaOptions(directory: string): string[] {
  return [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUrl(directory)}`];
}

/** Arguments of the storage tool that make the user of SCRAM. */
export function scramUser({ username, password }: BrokerSecurity): string[] {
  return ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
}
