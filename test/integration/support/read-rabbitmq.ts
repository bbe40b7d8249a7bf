import { connect } from "amqplib";
import { CommandError, runCommand } from "./run-command.ts";

/**
 * Takes all messages out of a queue with amqp-tools, clients that share no code with ours, and
 * returns their bodies in the order of the queue. The tools show no properties and no headers.
 */
export async function readRabbitmq(url: string, queue: string): Promise<string[]> {
  const messages: string[] = [];
  // Only a get that finds nothing proves that the queue is empty: a quorum queue that has no leader
  // for a moment says that it holds 0 messages.
  let next = await getOne(url, queue);
  while (next !== undefined) {
    messages.push(next);
    const count = await countRabbitmq(url, queue);
    if (count > 0) messages.push(...(await consume(url, queue, count)));
    next = await getOne(url, queue);
  }
  return messages;
}

const emptyQueueExitCode = 2;

async function getOne(url: string, queue: string): Promise<string | undefined> {
  try {
    return (await runCommand("amqp-get", [`--url=${url}`, `--queue=${queue}`])).toString();
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === emptyQueueExitCode) return undefined;
    throw error;
  }
}

async function consume(url: string, queue: string, count: number): Promise<string[]> {
  const limits = [`--count=${count}`, "--prefetch-count=500"];
  // A NUL after each message, since none ever stands in JSON text.
  const print = ["--", "sh", "-c", "cat; printf '\\0'"];
  const args = [`--url=${url}`, `--queue=${queue}`, ...limits, ...print];
  const output = await runCommand("amqp-consume", args, { timeoutMs: 300_000 });
  return output.toString().split("\0").slice(0, -1);
}

/** Publishes a persistent message with amqp-publish to a queue, over the default exchange. */
export async function produceRabbitmq(url: string, queue: string, body: string): Promise<void> {
  const args = [`--url=${url}`, `--routing-key=${queue}`, "--persistent"];
  await runCommand("amqp-publish", args, { input: body });
}

/** Number of messages ready in a queue; may be too low just after a start (see above). */
export async function countRabbitmq(url: string, queue: string): Promise<number> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    // A missing queue closes the channel, which is also an event of its own.
    channel.on("error", () => undefined);
    return (await channel.checkQueue(queue)).messageCount;
  } finally {
    await connection.close();
  }
}
