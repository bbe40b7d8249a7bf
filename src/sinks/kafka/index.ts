export { KafkaSink } from "./sink.ts";
