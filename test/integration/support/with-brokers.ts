// Runs a command while a Kafka and a RabbitMQ run that its tests share: node with-brokers.js COMMAND [ARGUMENT...]
// A test that asks for a broker without harming it gets one of these, and starts its own where it is run alone.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chooseProvider, startKafka, startRabbitmq } from "./brokers.ts";
import { startAll } from "./start-all.ts";

const [command = "", ...args] = process.argv.slice(2);
const [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
const { name } = await chooseProvider();
const env = {
  ...process.env,
  CERTWIRE_TEST_BROKERS: name,
  KAFKA_BROKERS: kafka.bootstrapServers.join(),
  AMQP_URL: rabbitmq.urls.join(),
};
try {
  const child = spawn(command, args, { env, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, "exit");
  process.exitCode = typeof code === "number" ? code : 1;
} finally {
  await Promise.all([kafka.stop(), rabbitmq.stop()]);
}
