import { passwordInClear } from "../broker-options.ts";
import { formatHost } from "../server-url.ts";
import { defineSinkKind, type SinkFinding } from "../sink-kind.ts";
import { certificateEnds, inspectTls } from "../tls-files.ts";
import { allExchanges, rabbitmqDestinations } from "./destinations.ts";
import {
  type ResolvedRabbitMqSinkOptions,
  rabbitmqRoute,
  rabbitmqSinkOptions,
  resolveRabbitMqSink,
} from "./options.ts";

/** Exchanges of a RabbitMQ cluster. */
export const rabbitmq = defineSinkKind({
  kind: "rabbitmq",
  schemes: ["amqp", "amqps"],
  options: rabbitmqSinkOptions,
  route: rabbitmqRoute,
  resolve: resolveRabbitMqSink,
  inspect: (options, now) => [
    ...inspectBindings(options),
    ...inspectLimits(options),
    ...inspectAccess(options, now),
  ],
  certificates: ({ tls }) => (tls === undefined ? [] : certificateEnds(tls)),
  servers: ({ hosts, tls }) => ({ hosts, ...(tls && { tls }) }),
  destination,
  destinations: (options) => rabbitmqDestinations(options),
  place: ({ exchange, routingKey }) => `exchange ${exchange} key ${routingKey}`,
  routing: ({ hosts, vhost }) => JSON.stringify([hosts.map(formatHost).toSorted(), vhost]),
  async create(options, log) {
    const { RabbitMqSink } = await import("./sink.ts");
    return new RabbitMqSink(options, log);
  },
});

function destination(options: ResolvedRabbitMqSinkOptions): string {
  const exchanges = allExchanges(options);
  const name = exchanges.length === 1 ? "exchange" : "exchanges";
  return `${name} ${exchanges.join(", ")} on ${options.hosts.map(formatHost).join(", ")}`;
}

/** The broker returns an event that no queue receives, and the events after it wait for a while. */
function inspectBindings({
  topology,
  exchange,
  routingKey,
  routes,
}: ResolvedRabbitMqSinkOptions): SinkFinding[] {
  if (topology === undefined) return [];
  const { stream, quorumQueues } = topology;
  const queues = stream ? [stream, ...quorumQueues] : quorumQueues;
  const others = routes.filter((route) => route.exchange === exchange);
  const hasOneKey = others.every((route) => route.routingKey === routingKey);
  const receivesAll = (key: string) => key === "#" || (hasOneKey && key === routingKey);
  if (queues.some(({ bindingKey }) => receivesAll(bindingKey))) return [];
  const message = "no stream or queue of the topology receives every event";
  const hint =
    'Set the "bindingKey" of one to "#", unless another queue already receives all events.';
  return [{ path: ["topology"], isWarning: true, message, hint }];
}

/** A queue with a limit and no dead-letter exchange drops events. */
function inspectLimits({ topology }: ResolvedRabbitMqSinkOptions): SinkFinding[] {
  const message = "the broker drops events that consumers give back more often than this";
  const hint = 'Set "deadLetterExchange" too, to an exchange with a queue for them.';
  return (topology?.quorumQueues ?? []).flatMap(({ deliveryLimit, deadLetterExchange }, index) =>
    deliveryLimit === undefined || deadLetterExchange !== undefined
      ? []
      : [
          {
            path: ["topology", "quorumQueues", index, "deliveryLimit"],
            isWarning: true,
            message,
            hint,
          },
        ],
  );
}

function inspectAccess(options: ResolvedRabbitMqSinkOptions, now: number): SinkFinding[] {
  const { tls, hosts, hasPassword } = options;
  if (tls !== undefined) return inspectTls(tls, now);
  const isLocal = hosts.every(({ host }) => isLoopback(host));
  return hasPassword && !isLocal ? [passwordInClear(["password"], "amqps")] : [];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
