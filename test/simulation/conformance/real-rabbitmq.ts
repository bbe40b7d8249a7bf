import { type Channel, type ChannelModel, type ConsumeMessage, connect } from "amqplib";
import { connectAmqp } from "../../../src/amqp/connect.ts";
import type { RabbitmqCluster } from "../../integration/support/broker-provider.ts";
import { localProvider } from "../../integration/support/brokers.ts";
import { TcpProxy } from "../../integration/support/tcp-proxy.ts";
import { patienceMs, settled, until } from "../../support/until.ts";
import { RabbitMqLosses } from "./lossy-rabbitmq.ts";
import type { RabbitMqSubject, ReadMessage } from "./play-rabbitmq.ts";
import type { MessageLoss, OperatorStep } from "./rabbitmq-script.ts";
import type { Settled } from "./virtual-time.ts";

const user = "ca";
const password = "conformance";

/** Scripts that were played in this process, for the names of what they make. */
let scripts = 0;

/** A cluster that the user of scripts reaches through a proxy of its first node. */
export interface GuardedRabbitMq extends RabbitmqCluster {
  readonly version: string;
  /** URL of the proxy. */
  readonly proxied: string;
  /** What the proxy loses. */
  readonly losses: RabbitMqLosses;
}

/** Starts a cluster with the user that publishes, whose rights and limits are not those of the operator. */
export async function startGuardedRabbitMq(nodes: 1 | 3): Promise<GuardedRabbitMq> {
  // A node without a majority keeps serving: one that pauses is only a node that is down.
  const config = { cluster_partition_handling: "ignore" };
  const cluster = await localProvider.startRabbitmq({ nodes, config });
  const proxy = await TcpProxy.start(new URL(cluster.urls[0] ?? "").host);
  const losses = new RabbitMqLosses();
  proxy.intercept = losses.on;
  const stop = async (): Promise<void> => {
    await Promise.all([cluster.stop(), proxy.close()]);
  };
  try {
    await cluster.ctl(1, "add_user", user, password);
    await cluster.ctl(1, "set_permissions", "-p", "/", user, ".*", ".*", ".*");
    const program = "rabbit_misc:version().";
    const version = (await cluster.ctl(1, "eval", program)).replaceAll('"', "").trim();
    const proxied = `amqp://${user}:${password}@${proxy.address}`;
    return { ...cluster, version, proxied, losses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A real broker, which scripts share, as the subject of one. */
export class RealRabbitMq implements RabbitMqSubject {
  readonly #cluster: GuardedRabbitMq;
  readonly #prefix: string;
  readonly #denied = new Set<number>();

  constructor(cluster: GuardedRabbitMq) {
    scripts += 1;
    this.#cluster = cluster;
    this.#prefix = `conformance-${scripts}`;
  }

  connect(): Promise<ChannelModel> {
    return connectAmqp(this.#cluster.proxied, { name: "conformance", timeoutMs: patienceMs });
  }

  async settle<T>(start: () => Promise<T>): Promise<Settled<T>> {
    return settled(start(), "the broker has answered").then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  }

  publishAndLose<T>(
    loss: MessageLoss,
    { messages }: { readonly messages: number },
    start: () => Promise<T>,
  ): Promise<T> {
    const { losses } = this.#cluster;
    losses.plan({ loss, messages });
    return start().finally(() => losses.plan(undefined));
  }

  exchangeName(exchange: number): string {
    return `${this.#prefix}-exchange-${exchange}`;
  }

  queueName(queue: number): string {
    return `${this.#prefix}-queue-${queue}`;
  }

  async operate(step: OperatorStep): Promise<void> {
    switch (step.do) {
      case "delete-queue":
        await this.#withChannel((channel) => channel.deleteQueue(this.queueName(step.queue)));
        break;
      case "delete-exchange":
        await this.#withChannel((channel) =>
          channel.deleteExchange(this.exchangeName(step.exchange)),
        );
        break;
      case "deny":
        this.#denied.add(step.exchange);
        await this.#setRights();
        await this.#evaluate(forgetRights);
        break;
      case "allow":
        this.#denied.delete(step.exchange);
        await this.#setRights();
        break;
      case "restart":
        await this.#cluster.restart(1);
        break;
      case "block":
      case "unblock":
        await this.#evaluate(programOf(step));
        await this.#haveNoticed(step.do === "block" ? ["blocking", "blocked"] : ["running"]);
        break;
      default:
        await this.#evaluate(programOf(step));
    }
  }

  /** Waits until every connection knows of an alarm or of its end. */
  async #haveNoticed(states: readonly string[]): Promise<void> {
    const program = `lists:all(fun (Pid) -> case catch rabbit_networking:connection_info(Pid, [state]) of [{state, State}] -> lists:member(State, [${states.join()}]); _ -> false end end, rabbit_networking:connections())`;
    const haveAll = async (): Promise<boolean> => (await this.#evaluate(program)).trim() === "true";
    await until(haveAll, `all connections are ${states.join(" or ")}`);
  }

  async read(queue: number): Promise<readonly ReadMessage[] | undefined> {
    const name = this.queueName(queue);
    // A node that has just started may need a moment for a queue.
    const find = () => this.#withChannel((channel) => findQueue(channel, name));
    const found = await until(find, `queue ${name} can be used`, { mayThrow: true, everyMs: 100 });
    if (found === "missing") return undefined;
    return this.#withChannel(async (channel) =>
      (await this.#isStream(name)) ? readStream(channel, name) : readAll(channel, name),
    );
  }

  async clear(): Promise<void> {
    await this.#withChannel(async (channel) => {
      for (const queue of [0, 1, 2]) await channel.deleteQueue(this.queueName(queue));
      for (const exchange of [0, 1]) await channel.deleteExchange(this.exchangeName(exchange));
    });
  }

  get #url(): string {
    return this.#cluster.urls[0] ?? "";
  }

  async #setRights(): Promise<void> {
    const names = [...this.#denied].map((exchange) => this.exchangeName(exchange));
    const write = names.length === 0 ? ".*" : `^(?!(${names.join("|")})$).*`;
    await this.#evaluate(
      `rabbit_auth_backend_internal:set_permissions(<<"${user}">>, <<"/">>, <<".*">>, <<"${write}">>, <<".*">>, <<"test">>)`,
    );
  }

  async #isStream(queue: string): Promise<boolean> {
    const program = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)), amqqueue:get_type(Q)`;
    return (await this.#evaluate(program)).trim() === "rabbit_stream_queue";
  }

  /** Runs a program that may run twice: on a busy machine the broker may be too slow to accept the caller. */
  async #evaluate(program: string): Promise<string> {
    const evaluate = () => this.#cluster.ctl(1, "eval", `${program}.`);
    return until(evaluate, "the broker runs a program", { mayThrow: true, everyMs: 100 });
  }

  /** Does something as the operator. */
  async #withChannel<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(this.#url);
    try {
      return await act(await connection.createChannel());
    } finally {
      await connection.close();
    }
  }
}

/** A channel remembers rights until it was idle for a while. Now each forgets them, however fast the machine is. */
const forgetRights =
  "[sys:replace_state(Pid, fun (State) -> erase(permission_cache), State end) || Pid <- rabbit_channel:list_local()]";

/** How the operator does it, in Erlang: rabbitmqctl takes a hundred times as long. */
function programOf(step: OperatorStep): string {
  const internal = "rabbit_auth_backend_internal";
  switch (step.do) {
    case "limit-bytes":
      return `application:set_env(rabbit, max_message_size, ${step.bytes}), persistent_term:put(max_message_size, ${step.bytes})`;
    case "limit-channels":
      return `application:set_env(rabbit, channel_max, ${step.channels})`;
    case "refuse-connections":
      return `${internal}:set_user_limits(<<"${user}">>, <<"{\\"max-connections\\": 0}">>, <<"test">>)`;
    case "refuse-channels":
      return `${internal}:set_user_limits(<<"${user}">>, <<"{\\"max-channels\\": 0}">>, <<"test">>)`;
    case "accept-connections":
      return `${internal}:clear_user_limits(<<"${user}">>, <<"max-connections">>, <<"test">>)`;
    case "accept-channels":
      return `${internal}:clear_user_limits(<<"${user}">>, <<"max-channels">>, <<"test">>)`;
    case "change-password":
      return `${internal}:change_password(<<"${user}">>, <<"another">>, <<"test">>)`;
    case "restore-password":
      return `${internal}:change_password(<<"${user}">>, <<"${password}">>, <<"test">>)`;
    case "block":
      return "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []})";
    case "unblock":
      return "rabbit_alarm:clear_alarm({resource_limit, memory, node()})";
    default:
      throw new Error(`no program for ${step.do}`);
  }
}

function toRead({
  content,
  fields,
  properties,
}: Pick<ConsumeMessage, "content" | "properties"> & {
  readonly fields: { readonly exchange: string; readonly routingKey: string };
}): ReadMessage {
  const { exchange, routingKey } = fields;
  const messageId = String(properties.messageId);
  return { exchange, routingKey, messageId, content: content.toString() };
}

/** Whether a queue is there. Rejects if it is and cannot be used. */
async function findQueue(channel: Channel, queue: string): Promise<"found" | "missing"> {
  channel.on("error", () => undefined);
  try {
    await channel.checkQueue(queue);
    return "found";
  } catch (error) {
    if (error instanceof Error && error.message.includes("no queue")) return "missing";
    throw error;
  }
}

async function readAll(channel: Channel, queue: string): Promise<ReadMessage[]> {
  const messages: ReadMessage[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) return messages;
    messages.push(toRead(message));
  }
}

/** Reads a stream from its beginning, up to a message that is added for that. */
async function readStream(channel: Channel, stream: string): Promise<ReadMessage[]> {
  const last = "the last";
  channel.sendToQueue(stream, Buffer.from(""), { messageId: last });
  await channel.prefetch(1000);
  const messages: ReadMessage[] = [];
  const receive = (message: ConsumeMessage | null): void => {
    if (message !== null) messages.push(toRead(message));
  };
  await channel.consume(stream, receive, { arguments: { "x-stream-offset": "first" } });
  await until(() => messages.at(-1)?.messageId === last, `${stream} is read`);
  return messages.slice(0, -1);
}
