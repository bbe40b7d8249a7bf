/**
 * The simulated CA, for `certwire simulate` and `certwire demo`. Nothing else in src imports it, and these
 * commands load it only when they run, so that an installation on a CA may omit this folder.
 */
export { createCa, type FeedCounts, feed, newFeedCounts } from "./feed.ts";
