/**
 * What RabbitMQ says, with the reply code 404, about a queue that exists and that nobody can use until its node or process
 * is back. RabbitMQ 3 knows at once that the node of a classic queue is down; RabbitMQ 4 says "due to timeout", after a minute.
 */
export const queueDown =
  /is down or inaccessible|due to timeout|process is stopped|has crashed and failed to restart|has no leader/i;
