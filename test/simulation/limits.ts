/** A request that was lost on its way to a silent broker, or its answer, is given up after this time, in ms. */
export const silenceMs = 180_000;
/** Within which time everything is delivered once nothing is wrong any more, in ms. */
export const drainMs = { real: 2 * 60_000, slow: 15 * 60_000 };
/** A sink whose destination has worked for so long is not behind, in ms. */
export const worksAgainMs = { real: 2 * 60_000, slow: 10 * 60_000 };
/** Within which time a service ends that was told to, in ms. */
export const stopMs = 30_000;
/**
 * An event that has waited for so long is not on its way, in ms: a broker that says nothing at all is known to be
 * silent after three minutes, and in a script of days a failed try may be followed by another after two more.
 */
export const waitsMs = { real: 3 * 60_000 + 5000, slow: 5 * 60_000 + 5000 };
/** Within which time the health names nothing any more that is over, in ms. */
export const settledMs = { real: 3 * 60_000, slow: 12 * 60_000 };
/** Within which time events are delivered that nothing holds up any more, or a lost confirm is a failure, in ms. */
export const onTheirWayMs = 40_000;
/** How often a service logs a message about a sink at most, and within which time, in ms. */
export const mostOfMessage = [
  { withinMs: 10 * 60_000, most: 20 },
  { withinMs: 60 * 60_000, most: 40 },
];
