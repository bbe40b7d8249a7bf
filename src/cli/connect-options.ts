import { type Command, Option } from "commander";

/** Adds the options that say how to connect to a broker. */
export function addConnectOptions(command: Command): Command {
  return command
    .option("--username <name>", "SASL user of Kafka")
    .addOption(
      new Option("--mechanism <name>", "SASL mechanism of Kafka")
        .choices(["plain", "scram-sha-256", "scram-sha-512"])
        .default("scram-sha-512"),
    )
    .option("--password-file <file>", "file whose first line is the password")
    .option("--password-environment <name>", "environment variable with the password")
    .option("--ca-file <file>", "PEM file with the CA certificates to trust")
    .option("--certificate-file <file>", "PEM file with the client certificate")
    .option("--private-key-file <file>", "PEM file with its private key");
}
