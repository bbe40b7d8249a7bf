// Makes the archive of Kafka's classes from which the nodes of tests start in less time; does nothing if the
// one that is there fits this Java and these jars.
import { rmSync } from "node:fs";
import { kafkaArchive, kafkaJava, quickStart } from "./kafka-java.ts";
import { makeKafkaArchive } from "./local-kafka.ts";
import { CommandError, runCommand } from "./run-command.ts";

async function fits(): Promise<boolean> {
  try {
    // With -Xshare:on Java refuses to start without the archive that it is given.
    const options = ["-Xshare:on", ...quickStart()];
    await runCommand("java", kafkaJava("kafka.tools.StorageTool", ["random-uuid"], { options }));
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

if (!quickStart().some((option) => option.endsWith(kafkaArchive)) || !(await fits())) {
  rmSync(kafkaArchive, { force: true });
  await makeKafkaArchive();
}
