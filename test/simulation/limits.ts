/** Within which time everything is delivered once nothing is wrong any more, in ms. */
export const drainMs = 15 * 60_000;
/** Within which time a service ends that was told to, in ms. */
export const stopMs = 30_000;
/** An event that has waited for so long is not on its way, in ms. */
export const waitsMs = 3 * 60_000;
/** Within which time the health names nothing any more that is over, in ms. */
export const settledMs = { real: 3 * 60_000, slow: 12 * 60_000 };
/** Within which time events are delivered that nothing holds up any more, or a lost confirm is a failure, in ms. */
export const onTheirWayMs = 40_000;
/** Most lines that a service logs in an hour for each sink, and most in the hour of a start. */
export const maxLinesInHour = 400;
