// A process of its own that records events, so that a test can kill it. Argument: the journal directory.
// Orders come as messages and are answered in turn; an answer is sent once they are carried out.
import { flushed, openSmall, smallEvent } from "./small-journal.ts";

/** An order to the process. */
export type WriterOrder =
  | { readonly do: "append"; readonly requestIds: readonly number[] }
  | { readonly do: "flush" | "seal" };

/** Answer to an order: of `append` the request IDs of which append returned committed. */
export interface WriterAnswer {
  readonly committed: readonly number[];
}

const directory = process.argv[2] ?? "";
let simulator: ReturnType<typeof openSmall> | undefined;

process.on("message", (order: WriterOrder) => {
  void carryOut(order).then((committed) => process.send?.({ committed } satisfies WriterAnswer));
});

async function carryOut(order: WriterOrder): Promise<number[]> {
  simulator ??= openSmall(directory);
  if (order.do === "append") {
    const writer = simulator;
    return order.requestIds.filter((id) => writer.notify(smallEvent(id)) === 0);
  }
  await flushed(simulator);
  if (order.do === "seal") {
    simulator.shutdown();
    simulator.close();
    simulator = undefined;
  }
  return [];
}
