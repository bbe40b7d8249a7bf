import type { Clock } from "../../src/ca/control-service.ts";

/** A clock that only waits move on. */
export class TestClock implements Clock {
  ms = 0;
  /** Called after each wait. */
  onWait: () => void = () => undefined;

  now(): number {
    return this.ms;
  }

  async wait(ms: number): Promise<void> {
    this.ms += ms;
    this.onWait();
  }
}
