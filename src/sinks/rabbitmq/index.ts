export { RabbitMqSink } from "./sink.ts";
