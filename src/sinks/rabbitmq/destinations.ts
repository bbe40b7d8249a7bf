import type { Destinations, FillDestination } from "../../events/destination.ts";
import { amqpName } from "./names.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";

type Keys = Pick<ResolvedRabbitMqSinkOptions, "exchange" | "routingKey">;
type Exchanges = Keys & Pick<ResolvedRabbitMqSinkOptions, "routes">;

/** The exchanges and routing keys that a sink may publish to. */
export function rabbitmqDestinations({ routes, ...own }: Exchanges): Destinations {
  return {
    fallback: destinationOf(own),
    routes: routes.map(destinationOf),
    usesTemplateOrCa: [own, ...routes].some(({ exchange, routingKey }) =>
      [exchange, routingKey].some((text) => amqpName(text).usesTemplateOrCa),
    ),
  };
}

/** The exchanges as they are configured, each once, that of the URL first. */
export function allExchanges({ exchange, routes }: Exchanges): string[] {
  return [...new Set([exchange, ...routes.map((route) => route.exchange)])];
}

/** Those whose names are known before there is an event. */
export function fixedExchanges(exchanges: Exchanges): string[] {
  return allExchanges(exchanges).filter((text) => amqpName(text).isFixed);
}

function destinationOf(keys: Keys): FillDestination {
  const [exchange, routingKey] = [amqpName(keys.exchange), amqpName(keys.routingKey)];
  return (values) => ({
    exchange: exchange.nameFor(values),
    routingKey: routingKey.nameFor(values),
  });
}
