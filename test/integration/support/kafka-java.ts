import { existsSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "./repo-root.ts";

/** How the Java machine of a program runs. */
interface JavaOptions {
  /** Default 400. */
  readonly heapMegabytes?: number;
  /** Further options. Default none. */
  readonly options?: readonly string[];
}

/** A version of Kafka that scripts/fetch-kafka.sh has fetched besides the usual one, and that takes its place. */
const version = process.env["CERTWIRE_TEST_KAFKA"];

/** Ends the names of what belongs to that version. */
const suffix = version ? `-${version}` : "";

const libraries = join(repoRoot, "var", `kafka-libs${suffix}`);

/** Archive of the classes of a Kafka node, made by make-kafka-archive.ts; nodes start without it too. */
export const kafkaArchive: string = join(repoRoot, "var", `kafka-classes${suffix}.jsa`);

/** Command line of a program out of Kafka's jars. */
export function kafkaJava(
  mainClass: string,
  args: readonly string[],
  { heapMegabytes = 400, options = [] }: JavaOptions = {},
): string[] {
  if (!existsSync(libraries)) {
    const fetch = `bash scripts/fetch-kafka.sh${version ? ` kafka ${version}` : ""}`;
    throw new Error(`Kafka's jars are missing; fetch them with: ${fetch}`);
  }
  return [
    `-Xmx${heapMegabytes}m`,
    ...options,
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    join(libraries, "*"),
    mainClass,
    ...args,
  ];
}

/**
 * Options that halve the processor time of a start, at the expense of speed later on. Java ignores an archive
 * that does not fit it or the jars.
 */
export function quickStart(): string[] {
  const archive = existsSync(kafkaArchive) ? [`-XX:SharedArchiveFile=${kafkaArchive}`] : [];
  return ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", ...archive];
}
