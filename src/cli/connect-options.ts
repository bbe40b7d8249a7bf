import { type Command, Option } from "commander";

/** Adds the options that say how to connect to a broker. */
export function addConnectOptions(command: Command): Command {
  return command
    .option("--username <name>", "SASL user of Kafka")
    .addOption(
      new Option("--mechanism <name>", "SASL mechanism of Kafka")
        .choices(["plain", "scram-sha-256", "scram-sha-512", "oauthbearer", "aws-msk-iam"])
        .default("scram-sha-512"),
    )
    .option("--password-file <file>", "file whose first line is the password")
    .option("--password-environment <name>", "environment variable with the password")
    .option("--token-endpoint <url>", "where oauthbearer gets its tokens")
    .option("--client-id <id>", "client ID at the token endpoint")
    .option("--client-secret-file <file>", "file whose first line is the client secret")
    .option("--client-secret-environment <name>", "environment variable with the client secret")
    .addOption(
      new Option(
        "--client-authentication <way>",
        "client secret in a header or in the body",
      ).choices(["basic", "post"]),
    )
    .option("--scope <scope>", "scope to ask for")
    .option("--token-ca-file <file>", "PEM file with the CA certificates of the token endpoint")
    .option("--sasl-extension <name=value...>", "what the broker wants with the token")
    .option("--aws-region <region>", "region of the cluster, for aws-msk-iam")
    .option("--ca-file <file>", "PEM file with the CA certificates to trust")
    .option("--certificate-file <file>", "PEM file with the client certificate")
    .option("--private-key-file <file>", "PEM file with its private key");
}
