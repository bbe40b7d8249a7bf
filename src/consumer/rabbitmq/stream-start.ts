import type { ChannelModel } from "amqplib";
import type { ConsumerLogger } from "../logger.ts";
import { endOffsetOf, newestOffsetOf } from "./stream-offset.ts";
import type { StreamPlace, StreamStart } from "./stream-place.ts";

/** How long a stream may seem to end before the place of a consumer until that is believed, in ms. */
export const settleMs = 5000;

const shorter =
  "the stream ends before the place of this consumer: it was declared again or lost messages; all of it is delivered";

/**
 * The offset to ask the broker for, where the place is. Finds out about "next" once: asked for again, it would leave
 * out what was published since. The broker also takes an offset after the end for "next", so a stream that ends before
 * the place is read from its first message.
 */
export async function findStart(
  model: ChannelModel,
  stream: string,
  place: StreamPlace,
  log: ConsumerLogger,
): Promise<unknown> {
  await place.load();
  const { offset } = place;
  if (offset === undefined) {
    if (place.start === "next") place.beginAfter(await endOffsetOf(model, stream, settleMs));
  } else if (offset >= 0n) await checkEnd(model, stream, place, offset, log);
  // After a crash, what was found out here could no longer be found out.
  if (place.offset !== offset) await place.trySave();
  return place.offset === undefined ? argumentOf(place.start) : Number(place.offset + 1n);
}

async function checkEnd(
  model: ChannelModel,
  stream: string,
  place: StreamPlace,
  offset: bigint,
  log: ConsumerLogger,
): Promise<void> {
  const options = { waitMs: settleMs, atLeast: offset };
  const newest = await newestOffsetOf(model, stream, options);
  if (newest !== undefined && newest >= offset) return;
  const fields = { stream, place: String(offset), newest: newest?.toString() };
  log.error(fields, shorter);
  place.beginAgain();
}

function argumentOf(start: StreamStart): unknown {
  if (!(start instanceof Date)) return start;
  return { "!": "timestamp", value: Math.floor(start.getTime() / 1000) };
}
