import assert from "node:assert/strict";

/** Limits of a scaled count. */
export interface ScaleLimits {
  /** Fewest with which the test still shows what it is about. Default 1. */
  readonly least?: number;
  /** Most that a machine can bear. Default unlimited. */
  readonly most?: number;
}

/** What CERTWIRE_TEST_SCALE says; default 1. */
const scale = sizeFromEnvironment("CERTWIRE_TEST_SCALE", 1);

/**
 * A number of events or rounds that a test has chosen freely, times CERTWIRE_TEST_SCALE: with less work every
 * machine is a fast one, with more of it a slow one.
 */
export function scaled(count: number, { least = 1, most }: ScaleLimits = {}): number {
  const wanted = Math.max(least, Math.round(count * scale));
  return most === undefined ? wanted : Math.min(most, wanted);
}

/** A number above 0 from the environment, so that a test also runs in a size of its own. */
export function sizeFromEnvironment(name: string, byDefault: number): number {
  const value = Number(process.env[name] ?? byDefault);
  assert.ok(value > 0 && Number.isFinite(value), `${name} must be a number above 0`);
  return value;
}
