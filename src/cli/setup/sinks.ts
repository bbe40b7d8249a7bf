import { resolve } from "node:path";
import { CertwireError } from "../../errors/certwire-error.ts";
import { errorCodes } from "../../errors/codes.ts";
import { kafkaSinkOptions } from "../../sinks/kafka/options.ts";
import { passwordMechanisms } from "../../sinks/kafka/sasl-options.ts";
import { rabbitmqSinkOptions } from "../../sinks/rabbitmq/options.ts";
import { say } from "../output.ts";
import { parseEntry, usage } from "../verify/credentials.ts";
import type { Dialog } from "./dialog.ts";
import type { SetupOptions } from "./options.ts";

/** A sink of the new configuration. */
export interface PlannedSink {
  /** Its entry in the configuration. */
  readonly entry: SinkText;
  /** A password that is written into a file beside the configuration; absent if there is none, or it has a file. */
  readonly secret?: { readonly fileName: string; readonly text: string };
}

/** The keys of an entry that the setup writes. */
export interface SinkText {
  readonly name: string;
  readonly url: string;
  readonly sasl?: object;
  readonly password?: object;
  readonly tls?: object;
}

/** Where a password is, or what it is. */
interface Password {
  readonly reference: { readonly file: string };
  readonly secret?: { readonly fileName: string; readonly text: string };
}

/**
 * The sinks of the options; on a terminal asks for what is missing. Throws CERTWIRE_USAGE that says what to give, and
 * never repeats a part of a URL.
 */
export async function collectSinks(
  options: SetupOptions,
  dialog: Dialog | undefined,
): Promise<PlannedSink[]> {
  const isAsked = dialog !== undefined && (options.kafka ?? options.rabbitmq) === undefined;
  const kafka = isAsked ? await askUrl(dialog, kafkaQuestion, assertKafkaUrl) : options.kafka;
  const rabbitmq = isAsked
    ? await askUrl(dialog, rabbitmqQuestion, assertRabbitMqUrl)
    : options.rabbitmq;
  if (kafka === undefined && rabbitmq === undefined) {
    throw usage("there is no sink", "Give --kafka URL, --rabbitmq URL or both.");
  }
  return [
    ...(kafka === undefined ? [] : [await kafkaSink(kafka, options, dialog)]),
    ...(rabbitmq === undefined ? [] : [await rabbitmqSink(rabbitmq, options, dialog)]),
  ];
}

const kafkaQuestion = "Kafka, such as kafkas://broker1:9093/certwire.events (empty: no Kafka)";
const rabbitmqQuestion =
  "RabbitMQ, such as amqps://certwire@rabbit1/?exchange=certwire (empty: no RabbitMQ)";

/** A URL that is accepted; `undefined` for an empty answer. */
async function askUrl(
  dialog: Dialog,
  question: string,
  assertUrl: (url: string) => void,
): Promise<string | undefined> {
  for (;;) {
    const url = await dialog.ask(question);
    if (url === "") return undefined;
    try {
      assertUrl(url);
      return url;
    } catch (error) {
      if (!(error instanceof CertwireError)) throw error;
      const isGeneral = error.hint === errorCodes[error.code].hint;
      say(isGeneral ? `${error.message}.` : `${error.message}. ${error.hint}`);
    }
  }
}

function assertKafkaUrl(url: string): void {
  parseEntry(kafkaSinkOptions, { url }, "--kafka");
}

function assertRabbitMqUrl(url: string): void {
  // The password comes later.
  const password = userIn(url) === undefined ? {} : { password: { file: "later" } };
  parseEntry(rabbitmqSinkOptions, { url, ...password }, "--rabbitmq");
}

async function kafkaSink(
  url: string,
  options: SetupOptions,
  dialog: Dialog | undefined,
): Promise<PlannedSink> {
  assertKafkaUrl(url);
  const given = options.kafkaUsername;
  const isAsked = dialog !== undefined && given === undefined && options.kafka === undefined;
  const username = isAsked ? await dialog.ask("Kafka user (empty: none)") : (given ?? "");
  const tls = tlsOf(options.kafkaCaFile);
  if (username === "") {
    const stranger = options.kafkaPasswordFile === undefined ? undefined : "--kafka-password-file";
    if (stranger !== undefined) throw usage(`${stranger} needs --kafka-username`);
    return { entry: checkedKafka({ name: "kafka", url, ...tls }) };
  }
  const mechanism =
    options.kafkaMechanism ?? (isAsked ? await askMechanism(dialog) : "scram-sha-512");
  const { reference, secret } = await passwordOf("kafka", username, options, dialog);
  const sasl = { mechanism, username, password: reference };
  const entry = checkedKafka({ name: "kafka", url, sasl, ...tls });
  return { entry, ...(secret && { secret }) };
}

function checkedKafka(entry: SinkText): SinkText {
  parseEntry(kafkaSinkOptions, entry, "--kafka");
  return entry;
}

async function askMechanism(dialog: Dialog): Promise<string> {
  for (;;) {
    const answer = await dialog.ask(
      `SASL mechanism (${passwordMechanisms.join(", ")})`,
      "scram-sha-512",
    );
    if (passwordMechanisms.some((each) => each === answer)) return answer;
    say("That is none of them.");
  }
}

async function rabbitmqSink(
  url: string,
  options: SetupOptions,
  dialog: Dialog | undefined,
): Promise<PlannedSink> {
  assertRabbitMqUrl(url);
  const username = userIn(url);
  const tls = tlsOf(options.rabbitmqCaFile);
  const password =
    username === undefined ? undefined : await passwordOf("rabbitmq", username, options, dialog);
  const entry: SinkText = {
    name: "rabbitmq",
    url,
    ...(password && { password: password.reference }),
    ...tls,
  };
  parseEntry(rabbitmqSinkOptions, entry, "--rabbitmq");
  return { entry, ...(password?.secret && { secret: password.secret }) };
}

/** The user of a URL that needs a password: RabbitMQ's own guest has a known one. */
function userIn(url: string): string | undefined {
  const user = /^amqps?:\/\/([^@/?#]+)@/.exec(url)?.[1];
  return user === "guest" ? undefined : user;
}

const questions = { kafka: "Kafka", rabbitmq: "RabbitMQ" } as const;

async function passwordOf(
  sink: keyof typeof questions,
  username: string,
  options: SetupOptions,
  dialog: Dialog | undefined,
): Promise<Password> {
  const file = sink === "kafka" ? options.kafkaPasswordFile : options.rabbitmqPasswordFile;
  if (file !== undefined) return { reference: { file: resolve(file) } };
  if (dialog === undefined) {
    throw usage(
      `nothing gives the password of ${username}`,
      `Write it into a file and give --${sink}-password-file FILE.`,
    );
  }
  const fileName = `${sink}-password.txt`;
  const text = options.dryRun ? "" : await askPassword(dialog, username, questions[sink]);
  return { reference: { file: fileName }, secret: { fileName, text } };
}

async function askPassword(dialog: Dialog, username: string, broker: string): Promise<string> {
  for (;;) {
    const answer = await dialog.askSecret(`Password of ${username} at ${broker}`);
    if (answer !== "") return answer;
    say("It cannot be empty.");
  }
}

function tlsOf(caFile: string | undefined): { tls?: object } {
  return caFile === undefined ? {} : { tls: { caFile: resolve(caFile) } };
}
