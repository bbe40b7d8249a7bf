// In your project this file has one line: export * from "certwire/consumer";
export * from "../../src/consumer/index.ts";
