import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenEndpointProblem } from "../../../src/kafka/token-endpoint.ts";

test("a token endpoint is an https URL, or one of this machine", () => {
  for (const url of [
    "https://login.example/oauth2/token",
    "https://login.example:8443/token?tenant=1",
    "http://127.0.0.1:8080/token",
    "http://127.1.2.3/token",
    "http://[::1]:8080/token",
    "http://localhost/token",
  ]) {
    assert.equal(tokenEndpointProblem(url), undefined, url);
  }
});

test("any other URL is refused, and the message does not repeat it", () => {
  for (const url of [
    "",
    "login.example/token",
    "http://login.example/token",
    "http://127.0.0.1.example/token",
    "http://localhost.example/token",
    "ftp://login.example/token",
    "file:///etc/passwd",
    "https://user:hunter2@login.example/token",
    "https://user@login.example/token",
    "https://login.example/token#hunter2",
  ]) {
    const problem = tokenEndpointProblem(url);
    assert.ok(problem, url);
    assert.ok(!problem.includes("hunter2"));
  }
});
