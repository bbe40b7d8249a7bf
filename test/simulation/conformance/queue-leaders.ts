/** Nodes of a cluster. */
const nodes = 3;

/**
 * Where the leader of a quorum queue is: on a node; on a node that is unknown until it is chosen; or nowhere, since its
 * node is down and the others are not a majority, which could choose another.
 */
export type Leader = number | "unknown" | "lost";

/** Which nodes of a cluster are down, and what that means for the leaders of quorum queues. */
export class QueueLeaders {
  readonly stopped = new Set<number>();
  readonly #leaders = new Map<number, Leader>();

  get hasMajority(): boolean {
    return this.stopped.size < nodes / 2;
  }

  /** `undefined` for a queue that is not a quorum queue. */
  of(queue: number): Leader | undefined {
    return this.#leaders.get(queue);
  }

  declared(queue: number, node: number): void {
    this.#leaders.set(queue, node);
  }

  stop(node: number): void {
    this.stopped.add(node);
    this.#change(node, this.hasMajority ? "unknown" : "lost");
  }

  start(node: number): void {
    this.stopped.delete(node);
    if (this.hasMajority) this.#change("lost", "unknown");
  }

  #change(from: Leader, to: Leader): void {
    for (const [queue, leader] of this.#leaders) {
      if (leader === from) this.#leaders.set(queue, to);
    }
  }
}
