export { StdoutSink } from "./sink.ts";
