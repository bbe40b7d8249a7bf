import type { Destinations, FillDestination } from "../../events/destination.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { fillTopic, topicName } from "./topic-name.ts";

type Topics = Pick<ResolvedKafkaSinkOptions, "topic" | "routes">;

/** The topics that a sink may publish to. */
export function kafkaDestinations({ topic, routes }: Topics): Destinations {
  return {
    fallback: topicOf(topic),
    routes: routes.map((route) => topicOf(route.topic)),
    usesTemplateOrCa: allTopics({ topic, routes }).some((text) => topicName(text).usesTemplateOrCa),
  };
}

/** The topics as they are configured, each once, that of the URL first. */
export function allTopics({ topic, routes }: Topics): string[] {
  return [...new Set([topic, ...routes.map((route) => route.topic)])];
}

function topicOf(text: string): FillDestination {
  const name = topicName(text);
  return (values) => ({ topic: fillTopic(name, values) });
}
