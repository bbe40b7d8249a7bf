// The models of the simulation and real brokers: docs/explanation/simulation.md.
import { test } from "node:test";
import { conform } from "../simulation/conformance/conform.ts";
import { sizeFromEnvironment } from "../support/scale.ts";

/** How many scripts are played on each broker, one for each seed from 1. */
const scripts = sizeFromEnvironment("CERTWIRE_CONFORMANCE_SCRIPTS", 8);

test("the model of Kafka does what a real Kafka does", async (t) => {
  t.diagnostic(await conform("kafka", { firstSeed: 1, scripts, shrinks: false }));
});

test("the model of RabbitMQ does what a real RabbitMQ does", async (t) => {
  t.diagnostic(await conform("rabbitmq", { firstSeed: 1, scripts, shrinks: false }));
});
