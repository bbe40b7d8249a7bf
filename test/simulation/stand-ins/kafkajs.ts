// In the place of kafkajs for src/sinks: its constants and errors are the real ones, its client is not.
import real from "kafkajs";
import { simulatedKafka } from "../kafka-client.ts";
import { world } from "../world.ts";

export const { CompressionTypes, CompressionCodecs, logLevel } = real;
export const Kafka = simulatedKafka(() => world().kafka);
export default real;
