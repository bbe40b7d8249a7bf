import { suite } from "node:test";
import { testProvider } from "./support/broker-suites.ts";
import { containerProvider, engineAnswers } from "./support/brokers.ts";
import { testServiceImage } from "./support/service-image-suite.ts";

// In CI, scripts/ci-docker.sh runs this file with an engine of its own; there is nothing to do
// without it. The image is made by scripts/docker-image.sh.
const image = process.env["CERTWIRE_SERVICE_IMAGE"];

if (await engineAnswers()) {
  testProvider(containerProvider);
  if (image) testServiceImage(image);
} else if (process.env["CI"] !== "true") {
  suite("brokers by testcontainers", { skip: "no container engine answers" });
}
