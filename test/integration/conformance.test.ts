// The models of the simulation and what they stand for: docs/explanation/simulation.md.
import { test } from "node:test";
import { conform, type Target } from "../simulation/conformance/conform.ts";
import { sizeFromEnvironment } from "../support/scale.ts";

/** How many scripts are played on each target, one for each seed from 1. */
const scripts = sizeFromEnvironment("CERTWIRE_CONFORMANCE_SCRIPTS", 8);

const names: readonly (readonly [Target, string])[] = [
  ["kafka", "the model of Kafka does what a real Kafka does"],
  ["rabbitmq", "the model of RabbitMQ does what a real RabbitMQ does"],
  ["journal", "the model of the journal gives what the addon reads of a real one"],
];

for (const [target, name] of names) {
  test(name, async (t) => {
    t.diagnostic(await conform(target, { firstSeed: 1, scripts, shrinks: false }));
  });
}
