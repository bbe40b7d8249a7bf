import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorCodes } from "../../../src/errors/codes.ts";

const page = readFileSync("docs/reference/consumer-api.md", "utf8");

/** All that is exported, types too. */
function exportsOf(index: string): string[] {
  const lists = readFileSync(index, "utf8").matchAll(/^export (?:type )?\{([^}]+)\}/gm);
  return [...lists].flatMap(([, names = ""]) =>
    names
      .split(",")
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== ""),
  );
}

test("the page of the consumer API names everything that the package exports", () => {
  const names = exportsOf("src/consumer/index.ts");
  assert.ok(names.length > 30, `${names.length} names`);
  assert.deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page)),
    [],
  );
});

/** The members of an interface that are options, as its source lists them. */
function membersOf(file: string, name: string): string[] {
  const text = readFileSync(file, "utf8");
  const start = text.indexOf(`export interface ${name}`);
  const body = text.slice(start, text.indexOf("\n}", start));
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)].map(([, member = ""]) => member);
}

test("the page names every option", () => {
  const interfaces = {
    "src/consumer/options.ts": ["ConsumerOptions"],
    "src/consumer/back-off.ts": ["RetryOptions"],
    "src/consumer/dispatcher.ts": ["ConsumerStats"],
    "src/consumer/handlers.ts": ["HandlerContext"],
    "src/consumer/message.ts": ["ReceivedMessage"],
    "src/consumer/kafka/options.ts": ["KafkaTopicOptions"],
    "src/consumer/kafka/access.ts": ["OAuthBearerOptions", "AwsMskIamOptions"],
    "src/consumer/rabbitmq/queue-source.ts": ["RabbitMqQueueOptions"],
    "src/consumer/rabbitmq/stream-source.ts": ["RabbitMqStreamOptions"],
    "src/consumer/deduplication/postgres.ts": ["PostgresDeduplicationOptions"],
  };
  for (const [file, names] of Object.entries(interfaces)) {
    for (const name of names) {
      const members = membersOf(file, name);
      assert.ok(members.length > 1, `members of ${name}`);
      const missing = members.filter((member) => !page.includes(`\`${member}\``));
      assert.deepEqual(missing, [], name);
    }
  }
});

test("the page names every error code of a consumer, and no other", () => {
  const named = [...page.matchAll(/^\| `(CERTWIRE_\w+)`/gm)].map(([, code]) => code);
  const own = Object.keys(errorCodes).filter((code) =>
    /COMPLETENESS|CONSUMER|MESSAGE|HANDLER|OFFSETS/.test(code),
  );
  assert.deepEqual(new Set(named), new Set(own));
});
