import { type Command, InvalidArgumentError } from "commander";
import type { EventCondition } from "../../events/event-filter.ts";
import type { TapOptions } from "../actions/tap.ts";
import { parseTime, parseWhole } from "../arguments.ts";
import { addConnectOptions } from "../connect-options.ts";
import { addJournalOptions } from "../journal-options.ts";
import { addSubjectOptions } from "../selection-options.ts";

export function addTapCommand(program: Command): void {
  const command = addJournalOptions(program.command("tap"))
    .description("show events as they come, one line each")
    .option(
      "--kafka <url>",
      "follow this topic: kafka://host1:9092,host2:9092/topic, TLS: kafkas://",
    )
    .option(
      "--rabbitmq <url>",
      "follow this exchange: amqp://[user@]host/vhost?exchange=name, TLS: amqps://",
    );
  addSubjectOptions(addConnectOptions(command))
    .option(
      "--where <member=pattern>",
      "events whose template, requester or ca fits; may be repeated",
      collectCondition,
    )
    .option(
      "--from <time>",
      "begin with the events of the journal at or after this time",
      parseTime,
    )
    .option(
      "--last <number>",
      "begin with this many events of the journal (default: 10)",
      parseWhole,
    )
    .option("--json", "print whole events, one JSON object per line")
    .addHelpText("after", help)
    .action(async (options: TapOptions) => (await import("../actions/tap.ts")).tap(options));
}

const members = ["template", "requester", "ca"] as const;

function collectCondition(text: string, previous: EventCondition = {}): EventCondition {
  const [name, pattern] = splitOnce(text);
  const member = members.find((each) => each === name);
  if (member === undefined || !pattern) {
    throw new InvalidArgumentError(
      `It must look like template=Web*; members: ${members.join(", ")}.`,
    );
  }
  return { ...previous, [member]: [...(previous[member] ?? []), pattern] };
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

const help = `
The age is the time since the CA called the exit module. A journal is only
read, and a broker followed from now on: on Kafka in a consumer group of its
own, on RabbitMQ with a queue that ends with the command. Ctrl-C ends it with
exit code 0.

A Kafka that does not answer is tried again and again.

--where takes a template as the CA has it, which for most templates of an
enterprise CA is the OID alone; the column shows the name that was asked for.

Exit codes: 0 ended, 69 RabbitMQ unreachable, 74 the journal cannot be read,
77 refused.

Examples:
  certwire tap --config certwire.jsonc
  certwire tap --journal var/journal --kind certificate.issued --where 'template=Web*'
  certwire tap --kafka kafka://broker1:9092/certificates --json | jq .data.certificate.subject
  certwire tap --rabbitmq 'amqp://audit@rabbit1/?exchange=certwire' --password-file rabbit.txt`;
