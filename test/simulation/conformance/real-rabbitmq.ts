import type { Channel, ConsumeMessage } from "amqplib";
import { until } from "../../support/until.ts";
import type { RabbitMqSubject, ReadMessage } from "./play-rabbitmq.ts";
import type { MessageLoss, OperatorStep } from "./rabbitmq-script.ts";
import { password, RealBroker, user } from "./real-broker.ts";

/** A real broker, which scripts share, as the subject of one. */
export class RealRabbitMq extends RealBroker implements RabbitMqSubject {
  readonly #denied = new Set<number>();

  publishAndLose<T>(
    loss: MessageLoss,
    { messages }: { readonly messages: number },
    start: () => Promise<T>,
  ): Promise<T> {
    const { losses } = this.cluster;
    losses.plan({ loss, messages });
    return start().finally(() => losses.plan(undefined));
  }

  exchangeName(exchange: number): string {
    return `${this.prefix}-exchange-${exchange}`;
  }

  async operate(step: OperatorStep): Promise<void> {
    switch (step.do) {
      case "delete-queue":
        await this.onNode(1, (channel) => channel.deleteQueue(this.queueName(step.queue)));
        break;
      case "delete-exchange":
        await this.onNode(1, (channel) => channel.deleteExchange(this.exchangeName(step.exchange)));
        break;
      case "deny":
        this.#denied.add(step.exchange);
        await this.#setRights();
        await this.evaluate(forgetRights);
        break;
      case "allow":
        this.#denied.delete(step.exchange);
        await this.#setRights();
        break;
      case "restart":
        await this.cluster.restart(1);
        break;
      case "block":
      case "unblock":
        await this.evaluate(programOf(step));
        await this.#haveNoticed(step.do === "block" ? ["blocking", "blocked"] : ["running"]);
        break;
      default:
        await this.evaluate(programOf(step));
    }
  }

  /** Waits until every connection knows of an alarm or of its end. */
  async #haveNoticed(states: readonly string[]): Promise<void> {
    const program = `lists:all(fun (Pid) -> case catch rabbit_networking:connection_info(Pid, [state]) of [{state, State}] -> lists:member(State, [${states.join()}]); _ -> false end end, rabbit_networking:connections())`;
    const haveAll = async (): Promise<boolean> => (await this.evaluate(program)) === "true";
    await until(haveAll, `all connections are ${states.join(" or ")}`);
  }

  async read(queue: number): Promise<readonly ReadMessage[] | undefined> {
    const name = this.queueName(queue);
    // A node that has just started may need a moment for a queue.
    const find = () => this.onNode(1, (channel) => findQueue(channel, name));
    const found = await until(find, `queue ${name} can be used`, { mayThrow: true, everyMs: 100 });
    if (found === "missing") return undefined;
    return this.onNode(1, async (channel) =>
      (await this.#isStream(name)) ? readStream(channel, name) : readAll(channel, name),
    );
  }

  async clear(): Promise<void> {
    await this.onNode(1, async (channel) => {
      for (const queue of [0, 1, 2]) await channel.deleteQueue(this.queueName(queue));
      for (const exchange of [0, 1]) await channel.deleteExchange(this.exchangeName(exchange));
    });
  }

  async #setRights(): Promise<void> {
    const names = [...this.#denied].map((exchange) => this.exchangeName(exchange));
    const write = names.length === 0 ? ".*" : `^(?!(${names.join("|")})$).*`;
    await this.evaluate(
      `rabbit_auth_backend_internal:set_permissions(<<"${user}">>, <<"/">>, <<".*">>, <<"${write}">>, <<".*">>, <<"test">>)`,
    );
  }

  async #isStream(queue: string): Promise<boolean> {
    const program = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)), amqqueue:get_type(Q)`;
    return (await this.evaluate(program)) === "rabbit_stream_queue";
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
