export { FileSink } from "./sink.ts";
