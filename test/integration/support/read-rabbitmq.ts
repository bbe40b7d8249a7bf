import { readFileSync } from "node:fs";
import { connect } from "amqplib";
import { CommandError, runCommand } from "./run-command.ts";
import type { KeyPairFiles } from "./test-certificates.ts";

/** What a reader needs for an `amqps:` URL. */
export interface ReaderTls {
  readonly caFile: string;
  readonly client: KeyPairFiles;
}

/**
 * Takes all messages out of a queue with amqp-tools, clients that share no code with ours, and
 * returns their bodies in the order of the queue. The tools show no properties and no headers, and start a program for
 * each message: the broker gives up a reader that is slow with megabytes, so it is for hundreds of messages
 * (`drainQueue` for more).
 */
export async function readRabbitmq(url: string, queue: string, tls?: ReaderTls): Promise<string[]> {
  const messages: string[] = [];
  // Only a get that finds nothing proves that the queue is empty: a quorum queue that has no leader
  // for a moment says that it holds 0 messages.
  let next = await getOne(url, queue, tls);
  while (next !== undefined) {
    messages.push(next);
    const count = await countRabbitmq(url, queue, tls);
    if (count > 0) messages.push(...(await consume(url, queue, count, tls)));
    next = await getOne(url, queue, tls);
  }
  return messages;
}

const emptyQueueExitCode = 2;

async function getOne(url: string, queue: string, tls?: ReaderTls): Promise<string | undefined> {
  try {
    return (await runCommand("amqp-get", [...server(url, tls), `--queue=${queue}`])).toString();
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === emptyQueueExitCode) return undefined;
    throw error;
  }
}

async function consume(
  url: string,
  queue: string,
  count: number,
  tls?: ReaderTls,
): Promise<string[]> {
  // Without acknowledgements: a quorum queue forgets those that are under way when the channel closes, and delivers
  // their messages once more.
  const limits = [`--count=${count}`, "--no-ack"];
  // A NUL after each message, since none ever stands in JSON text.
  const print = ["--", "sh", "-c", "cat; printf '\\0'"];
  const args = [...server(url, tls), `--queue=${queue}`, ...limits, ...print];
  const output = await runCommand("amqp-consume", args, { timeoutMs: 300_000 });
  return output.toString().split("\0").slice(0, -1);
}

function server(url: string, tls: ReaderTls | undefined): string[] {
  if (tls === undefined) return [`--url=${url}`];
  const { caFile, client } = tls;
  const own = [`--cert=${client.certificateFile}`, `--key=${client.keyFile}`];
  return [`--url=${url}`, `--cacert=${caFile}`, ...own];
}

/** Publishes a persistent message with amqp-publish to a queue, over the default exchange. */
export async function produceRabbitmq(url: string, queue: string, body: string): Promise<void> {
  const args = [`--url=${url}`, `--routing-key=${queue}`, "--persistent"];
  await runCommand("amqp-publish", args, { input: body });
}

/** Number of messages ready in a queue; may be too low just after a start (see above). */
export async function countRabbitmq(url: string, queue: string, tls?: ReaderTls): Promise<number> {
  const connection = await connect(url, tls && socketOptions(tls));
  try {
    const channel = await connection.createChannel();
    // A missing queue closes the channel, which is also an event of its own.
    channel.on("error", () => undefined);
    return (await channel.checkQueue(queue)).messageCount;
  } finally {
    await connection.close();
  }
}

function socketOptions({ caFile, client }: ReaderTls) {
  return {
    ca: readFileSync(caFile),
    cert: readFileSync(client.certificateFile),
    key: readFileSync(client.keyFile),
  };
}
