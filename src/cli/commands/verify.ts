import type { Command } from "commander";
import type { VerifyOptions } from "../actions/verify.ts";
import { parseSeconds } from "../arguments.ts";
import { addConnectOptions } from "../connect-options.ts";

export function addVerifyCommand(program: Command): void {
  const command = program
    .command("verify")
    .description(
      "prove that nothing is missing or changed in a topic, a stream, files or a journal",
    )
    .argument("[files...]", "NDJSON files of events")
    .option("--kafka <url>", "read this topic: kafka://host1:9092,host2:9092/topic, TLS: kafkas://")
    .option(
      "--rabbitmq-stream <url>",
      "read this stream: amqp://[user@]host/vhost?stream=name, TLS: amqps://",
    );
  command
    .option("-j, --journal <directory>", "verify this journal, alone or against the events")
    .option("--copy", "the journal is a copy: events after its end are counted, not findings")
    .option("--state <directory>", "with --journal: dead letters here are not missing");
  addConnectOptions(command)
    .option("--wait <seconds>", "how long events may still be on their way", parseSeconds, 5)
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(async (files: readonly string[], options: VerifyOptions) =>
      (await import("../actions/verify.ts")).verify(files, options),
    );
}

const help = `
Reads everything that is there at the start, once, and changes nothing. If
something is missing then, it waits for what may still be on its way.
Follows the numbers of the records, and the hash chain through them. With
--journal it also compares each event with its record.
Verify what a sink without "only" and "except" publishes: what these leave out
is a hole, too.

Exit codes: 0 complete and unchanged, 4 holes, 5 changed, 65 no events or too
many holes, 69 broker unreachable, 74 file unreadable, 77 refused, 78 password
or TLS files unusable, 130 interrupted.

Examples:
  certwire verify --kafka kafka://broker1:9092/certificates
  certwire verify --rabbitmq-stream 'amqp://audit@rabbit1/?stream=events' \\
    --password-file rabbitmq-password.txt --json
  certwire verify --kafka kafkas://broker1/certificates \\
    --mechanism oauthbearer --token-endpoint https://login.example/token \\
    --client-id audit --client-secret-file audit-secret.txt
  certwire verify var/events/events-*.ndjson
  certwire verify --journal C:\\ProgramData\\Certwire\\journal
  certwire verify --journal journal --kafka kafka://broker1/certificates`;
