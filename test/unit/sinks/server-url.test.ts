import assert from "node:assert/strict";
import { test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { parseServerUrl } from "../../../src/sinks/server-url.ts";

const ports = { amqp: 5672, amqps: 5671 };

test("hosts with and without ports, IPv6, user, path and query are taken apart", () => {
  const url = parseServerUrl("amqp://me%40x@a,b:1234,[::1]:99/v%2Fhost?exchange=e", ports);
  assert.deepEqual(url.hosts, [
    { host: "a", port: 5672 },
    { host: "b", port: 1234 },
    { host: "::1", port: 99 },
  ]);
  assert.equal(url.username, "me@x");
  assert.equal(url.path, "v/host");
  assert.equal(url.query.get("exchange"), "e");
});

test("any other text is refused", () => {
  const bad = [
    "",
    "amqp:",
    "http://a/",
    "amqp://",
    "amqp://a:0/",
    "amqp://a:70000/",
    "amqp://a,,b/",
  ];
  for (const text of [...bad, "amqp://a b/", "amqp://a/%zz"]) {
    assert.throws(() => parseServerUrl(text, ports), CertwireError, text);
  }
});

test("a password in a URL is refused without repeating it", () => {
  const urls = [
    "amqp://me:s3cret@a/",
    "amqp://me:s3cret/xyz@a/vh",
    "amqp://me:1234/s3cret@a",
    "amqp://me:1234?s3cret@a",
    "amqp://me:s3cret",
  ];
  for (const url of urls) {
    assert.throws(
      () => parseServerUrl(url, ports),
      (error) => error instanceof CertwireError && !error.message.includes("s3cret"),
      url,
    );
  }
});
