import type { NodeControl } from "./broker-provider.ts";
import type { StartingNode } from "./broker-ready.ts";
import type { ManagedProcess } from "./managed-process.ts";

/** A node that is a process of this machine. */
export interface LocalNode extends StartingNode {
  readonly process: ManagedProcess;
}

/** The node of an id, from 1. */
export function nodeOf<Node>(nodes: readonly Node[], id: number): Node {
  const node = nodes[id - 1];
  if (node === undefined) throw new Error(`there is no node ${id}`);
  return node;
}

/** Faults of nodes that are processes; `untilServing` waits until a restarted node answers. */
export function localControl<Node extends LocalNode>(
  nodes: readonly Node[],
  untilServing: (node: Node) => Promise<void>,
): NodeControl {
  return {
    kill9: (id) => nodeOf(nodes, id).process.kill(),
    pause: async (id) => {
      nodeOf(nodes, id).process.signal("SIGSTOP");
    },
    resume: async (id) => {
      nodeOf(nodes, id).process.signal("SIGCONT");
    },
    restart: async (id) => {
      const node = nodeOf(nodes, id);
      await node.process.terminate();
      node.process.start();
      await untilServing(node);
    },
  };
}
