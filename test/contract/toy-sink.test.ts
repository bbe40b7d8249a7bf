import { shelfOf, toy } from "../support/toy-sink.ts";
import { type SinkUnderTest, testSinkContract } from "./sink-contract.ts";

let shelves = 0;

testSinkContract({
  name: "toy",
  async setUp(): Promise<SinkUnderTest> {
    shelves += 1;
    const url = `toy:shelf-${shelves}`;
    const context = { baseDirectory: "/", secret: () => "" };
    const spares = await Promise.all(
      [1, 2, 3].map(() => toy.configure(toy.options.parse({ name: "toy", url }), context).create()),
    );
    const shelf = shelfOf(url);
    return {
      create() {
        const sink = spares.pop();
        if (sink === undefined) throw new Error("no test of the contract makes that many sinks");
        return sink;
      },
      read: async () => shelf.events.map((json) => JSON.parse(json)),
      breakDown: async () => void (shelf.isBroken = true),
      repair: async () => void (shelf.isBroken = false),
    };
  },
});
