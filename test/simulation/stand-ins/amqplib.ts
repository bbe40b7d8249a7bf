// In the place of amqplib for src.
import { world } from "../world.ts";

export const connect = (
  _address: unknown,
  options: { readonly timeout: number; readonly signal?: AbortSignal },
): Promise<unknown> => world().rabbitmq.connect(options);
