import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerSecurity } from "./broker-security.ts";

/** TLS, TLS that demands a client certificate, a password over TLS. */
export type SecureKafkaListener = "TLS" | "MUTUAL" | "SASL";

/** The secured listeners, with the protocol of each. */
export const secureKafkaListeners: Readonly<Record<SecureKafkaListener, string>> = {
  TLS: "SSL",
  MUTUAL: "SSL",
  SASL: "SASL_SSL",
};

const logins = "org.apache.kafka.common.security";

/** Lines of server.properties that secure these listeners; Kafka wants key and certificate in one file. */
export function kafkaSecurityProperties(
  directory: string,
  { certificates, username, password }: BrokerSecurity,
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
  };
}

/** Arguments of the storage tool that make the user of SCRAM. */
export function scramUser({ username, password }: BrokerSecurity): string[] {
  return ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
}
