/** In the place of src/amqp/amqplib-inside.ts. */
export function amqplibVersion(): string {
  return "2.3.1";
}

export function connectionModule(): unknown {
  return { Connection: { prototype: {} } };
}
