import { testProvider } from "./support/broker-suites.ts";
import { localProvider } from "./support/brokers.ts";

testProvider(localProvider);
