import { suite } from "node:test";
import { testProvider } from "./support/broker-suites.ts";
import { containerProvider, engineAnswers } from "./support/brokers.ts";
import { testServiceImage } from "./support/service-image-suite.ts";
import { testKitContainers } from "./support/test-kit-suite.ts";

// In CI only scripts/ci-docker.sh runs this file, with an engine of its own: there, or where testcontainers
// are asked for, a missing engine is a failure. The image is made by scripts/docker-image.sh.
const { CI, CERTWIRE_TEST_BROKERS, CERTWIRE_SERVICE_IMAGE: image } = process.env;
const isWanted = CI === "true" || CERTWIRE_TEST_BROKERS === "testcontainers";

if (isWanted || (await engineAnswers())) {
  testProvider(containerProvider);
  testKitContainers();
  if (image) testServiceImage(image);
  else suite("the image of the service", { skip: "CERTWIRE_SERVICE_IMAGE names none" });
} else {
  suite("brokers by testcontainers", { skip: "no container engine answers" });
}
