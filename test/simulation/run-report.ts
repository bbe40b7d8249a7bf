/** What a run has shown. */
export interface RunReport {
  readonly simulatedMs: number;
  readonly steps: number;
  readonly records: number;
  /** Starts of the service. */
  readonly starts: number;
}
