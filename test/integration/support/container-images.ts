import { join } from "node:path";
import { GenericContainer } from "testcontainers";
import { repoRoot } from "./repo-root.ts";

/** Names of the images of docker/ that hold brokers. */
export type BrokerImage = "test-kafka" | "test-rabbitmq";

/**
 * Builds an image of docker/ and returns a container of it, not started. CERTWIRE_TEST_BASE_IMAGE
 * takes the place of the public base image of the Dockerfile.
 */
export async function brokerContainer(image: BrokerImage): Promise<GenericContainer> {
  const base = process.env["CERTWIRE_TEST_BASE_IMAGE"];
  return GenericContainer.fromDockerfile(join(repoRoot, "docker", image))
    .withBuildArgs(base ? { BASE: base } : {})
    .build(`certwire-${image}`, { deleteOnExit: false });
}
