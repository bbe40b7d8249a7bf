// For the tests: events that a rule must find or leave alone.

import type { SamplesByRule } from "./sample.ts";
import { certighostSamples } from "./samples-certighost.ts";
import { contentSamples } from "./samples-contents.ts";
import { nameSamples } from "./samples-names.ts";
import { requestSamples } from "./samples-requests.ts";

/** The samples of all rules. */
export const samples: SamplesByRule = {
  ...nameSamples,
  ...requestSamples,
  ...contentSamples,
  ...certighostSamples,
};
