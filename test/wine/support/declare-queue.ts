import { connect } from "amqplib";

/** Password of the broker's own default account, as the configuration of a sink refers to it. */
export const guestPassword: { readonly environment: string } = {
  environment: "CERTWIRE_TEST_PASSWORD",
};
process.env[guestPassword.environment] = "guest";

/** Declares an exchange of type topic with a quorum queue that gets what `bindings` say; default everything. */
export async function declareQueue(
  url: string,
  name: string,
  bindings: readonly string[] = ["#"],
): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertExchange(name, "topic", { durable: true });
  await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum" } });
  for (const binding of bindings) await channel.bindQueue(name, name, binding);
  await connection.close();
}
