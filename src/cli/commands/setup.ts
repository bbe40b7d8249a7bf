import { type Command, Option } from "commander";
import { parseCount } from "../arguments.ts";
import type { SetupOptions } from "../setup/options.ts";

export function addSetupCommand(program: Command): void {
  program
    .command("setup")
    .description("write a configuration for Kafka or RabbitMQ, check it, and start the service")
    .option("-c, --config <file>", "configuration file to write")
    .option("--journal <directory>", "journal of the exit module")
    .option("--state <directory>", "state directory of the service")
    .option("--kafka <url>", "kafka://host1:9092,host2:9092/topic, TLS: kafkas://")
    .option("--kafka-username <name>", "SASL user of Kafka")
    .addOption(
      new Option("--kafka-mechanism <name>", "SASL mechanism (default: scram-sha-512)").choices([
        "plain",
        "scram-sha-256",
        "scram-sha-512",
      ]),
    )
    .option("--kafka-password-file <file>", "file whose first line is the user's password")
    .option("--kafka-ca-file <file>", "PEM file with the CA certificates to trust")
    .option("--rabbitmq <url>", "amqp://[user@]host/vhost?exchange=name, TLS: amqps://")
    .option("--rabbitmq-password-file <file>", "file whose first line is the user's password")
    .option("--rabbitmq-ca-file <file>", "PEM file with the CA certificates to trust")
    .option("--start", "start the Windows service after the check, or restart it")
    .option("--enable", "add the exit module to the CA after the check, as `ca enable`")
    .option("--restart-ca", "with --enable: restart the CA service")
    .option("--replace", "write over files that exist, and keep copies of them")
    .option("--offline", "do not connect to the sinks in the check")
    .option("--timeout <seconds>", "how long the check waits for each sink", parseCount, 15)
    .option("--dry-run", "show the plan and the configuration, write nothing")
    .option("--yes", "never ask: what is missing is an error")
    .addHelpText("after", help)
    .action(async (options: SetupOptions) => (await import("../actions/setup.ts")).setup(options));
}

const help = `
On a terminal it asks for what is not given, shows the plan, and asks before it
writes. A password is asked for without being shown, and goes into a file beside
the configuration. With --yes, or without a terminal, it asks nothing: name a file
that holds the password. If the check fails, nothing is started.

Files: %ProgramData%\\Certwire on Windows; elsewhere /etc/certwire and
/var/lib/certwire.

Examples:
  certwire setup
  certwire setup --kafka kafkas://broker1:9093/certwire.events --kafka-username ca1
    --kafka-password-file kafka.txt --start --enable --restart-ca --yes`;
