// Writes docs/reference/broker-errors.md from the tables of the brokers' error codes.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorCodes } from "../src/errors/codes.ts";
import type { FailureClass } from "../src/sinks/failure-class.ts";
import { kafkaErrors } from "../src/sinks/kafka/error-table.ts";
import { type ReplyCode, replyCodes } from "../src/sinks/rabbitmq/reply-codes.ts";

const introduction = `# Error codes of the brokers

What the sinks do with each error code of a broker. The question for each is the same: is it a condition of the
environment, or could no setting of the broker make the event acceptable? A condition is retried without limit, and
only an event of the other kind becomes a [dead letter](../how-to/dead-letters.md).

| kind | what the service does |
|---|---|
| \`retry-identical\` | sends the same events again |
| \`reset\` | connects again and sends the same events again |
| \`config\`, \`auth\` | the same, with the state \`alarm\`: someone must act |
| \`unroutable\` | the same; a kind of event that was never routed with its exchange and routing key becomes a dead letter after \`deadLetterAfterSeconds\` |
| \`poison\` | makes a dead letter of the event, once it was refused alone |

The exit code is that of \`certwire check\` for this error.
`;

const rabbitMqIntroduction = `## RabbitMQ

Every reply code of AMQP 0-9-1. Where a text decides, a row without a number follows its code.

| code | name | when | condition of | kind | exit code | hint |
|---|---|---|---|---|---|---|
`;

const kafkaIntroduction = `## Kafka

The error codes of the protocol with a meaning of their own. Every other one, of this or a later version, is \`reset\`:
consumer groups, transactions, tokens and controllers, which Certwire does not use, and passing states of a broker. Kafka
can be configured to accept every event, so none is \`poison\`.

| code | name | reason | kind | exit code | hint |
|---|---|---|---|---|---|
`;

/** The Markdown of \`docs/reference/broker-errors.md\`. */
export function brokerErrorsPage(): string {
  return [
    introduction,
    kafkaIntroduction + kafkaRows(),
    rabbitMqIntroduction + rabbitMqRows(),
  ].join("\n");
}

function kafkaRows(): string {
  return kafkaErrors
    .map(({ code, type, why, meaning }) => [
      String(code),
      `\`${type}\``,
      why,
      ...classCells(meaning),
    ])
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}

function rabbitMqRows(): string {
  return Object.entries(replyCodes)
    .flatMap(([code, reply]) => replyRows(code, reply))
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}

function replyRows(code: string, { name, meaning, condition, failure, cases = [] }: ReplyCode) {
  const others = cases.map((each) => ["", "", each.about, "", ...classCells(each.failure)]);
  return [[code, name, meaning, condition, ...classCells(failure)], ...others];
}

function classCells({ kind, code, hint }: FailureClass): string[] {
  const { exitCode, hint: general } = errorCodes[code];
  return [`\`${kind}\``, String(exitCode), (hint ?? general).replaceAll("|", "\\|")];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync("docs/reference/broker-errors.md", brokerErrorsPage());
}
