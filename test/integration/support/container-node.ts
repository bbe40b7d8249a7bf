import { getContainerRuntimeClient, type StartedTestContainer } from "testcontainers";
import type { NodeControl } from "./broker-provider.ts";

/** Faults of nodes that are containers; `untilServing` waits until a restarted node answers. */
export function containerControl(
  containers: readonly StartedTestContainer[],
  untilServing: (node: number) => Promise<void>,
): NodeControl {
  const handle = async (node: number) => {
    const started = containers[node - 1];
    if (started === undefined) throw new Error(`there is no node ${node}`);
    const client = await getContainerRuntimeClient();
    return client.container.getById(started.getId());
  };
  return {
    kill9: async (node) => {
      const container = await handle(node);
      await container.kill();
      await container.wait();
    },
    pause: async (node) => {
      await (await handle(node)).pause();
    },
    resume: async (node) => {
      await (await handle(node)).unpause();
    },
    restart: async (node) => {
      await (await handle(node)).restart();
      await untilServing(node);
    },
  };
}

/** Stops what a failed start has left running, and what a test no longer needs. */
export async function stopAll(
  containers: readonly StartedTestContainer[],
  network: { stop(): Promise<unknown> },
): Promise<void> {
  await Promise.all(containers.map((container) => container.stop({ timeout: 0 })));
  await network.stop();
}
