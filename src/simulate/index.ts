/**
 * The simulated CA, for `certwire simulate` and `certwire demo`. Nothing else in src imports it, and both
 * commands load it when they run: an installation on a CA may leave this folder out.
 */
export { createCa, type FeedCounts, feed, newFeedCounts } from "./feed.ts";
