import assert from "node:assert/strict";
import { test } from "node:test";
import { readTokenAnswer } from "../../../src/kafka/token-answer.ts";
import { TokenError, type TokenErrorKind } from "../../../src/kafka/token-error.ts";

const secret = "hunter2-secret";
const origin = { host: "login.example", secrets: [secret] };

function read(body: unknown, status = 200) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readTokenAnswer({ status, body: text }, origin);
}

function assertFails(body: unknown, status: number, kind: TokenErrorKind, message: RegExp): void {
  assert.throws(
    () => read(body, status),
    (error) => {
      assert.ok(error instanceof TokenError);
      assert.equal(error.kind, kind, error.message);
      assert.match(error.message, message);
      assert.ok(error.message.includes("login.example"));
      assert.ok(error.hint.length > 0);
      assert.ok(error.message.length < 800, "a short message");
      return true;
    },
  );
}

test("a token has the lifetime that the answer says", () => {
  const token = read({ access_token: "a.b-c_d~e+f/g==", token_type: "bearer", expires_in: 300 });
  assert.deepEqual(token, { value: "a.b-c_d~e+f/g==", lifetimeMs: 300_000 });
});

test("expires_in may be digits, may be absent, and counts for a day at most", () => {
  const lifetimeOf = (expiresIn: unknown) =>
    read({ access_token: "t", token_type: "Bearer", expires_in: expiresIn }).lifetimeMs;
  assert.equal(lifetimeOf("3599"), 3_599_000);
  assert.equal(lifetimeOf(undefined), 60_000);
  assert.equal(lifetimeOf(1e15), 86_400_000);
  assert.equal(lifetimeOf("999999999999999"), 86_400_000);
});

for (const expiresIn of ["soon", "-5", "1e9", "", [], {}, true, "9".repeat(400)]) {
  const text = JSON.stringify(expiresIn).slice(0, 20);
  test(`expires_in ${text} is refused`, () => {
    const body = { access_token: "t", token_type: "Bearer", expires_in: expiresIn };
    assertFails(body, 200, "config", /expires_in is not a number/);
  });
}

for (const expiresIn of [0, -1, 14.9, "0"]) {
  test(`a token that lives ${expiresIn} s is refused`, () => {
    const body = { access_token: "t", token_type: "Bearer", expires_in: expiresIn };
    assertFails(body, 200, "config", /end after -?[\d.]+ s/);
  });
}

for (const value of [undefined, null, 7, "", "a b", "a\u0001auth=x", "a\nb", "ü", "a=b"]) {
  test(`an access_token ${JSON.stringify(value)} is refused`, () => {
    const body = { access_token: value, token_type: "Bearer", expires_in: 60 };
    assertFails(body, 200, "config", /access_token/);
  });
}

test("a token of another type is refused", () => {
  for (const type of ["mac", "DPoP", 1, null]) {
    assertFails({ access_token: "t", token_type: type }, 200, "config", /token_type/);
  }
});

for (const body of ["", "<html>Welcome</html>", "[]", "null", "7", '"text"', '{"access_token":']) {
  test(`the answer ${JSON.stringify(body)} is not a token`, () => {
    assertFails(body, 200, "config", /access_token/);
    assertFails(body, 503, "unreachable", /status 503/);
  });
}

test("errors of OAuth and states of HTTP decide who must act", () => {
  const rows: readonly (readonly [string | undefined, number, TokenErrorKind])[] = [
    ["invalid_client", 400, "refused"],
    ["invalid_client", 401, "refused"],
    ["unauthorized_client", 400, "refused"],
    ["access_denied", 400, "refused"],
    ["invalid_scope", 400, "config"],
    ["invalid_request", 400, "config"],
    ["unsupported_grant_type", 400, "config"],
    ["temporarily_unavailable", 400, "unreachable"],
    [undefined, 401, "refused"],
    [undefined, 403, "refused"],
    [undefined, 404, "config"],
    [undefined, 302, "config"],
    [undefined, 204, "config"],
    [undefined, 408, "unreachable"],
    [undefined, 429, "unreachable"],
    [undefined, 500, "unreachable"],
  ];
  for (const [error, status, kind] of rows) {
    assertFails({ error }, status, kind, new RegExp(`status ${status}`));
  }
  assertFails({ error: "constructor" }, 400, "config", /status 400/);
});

test("a server's own text is shown, short, in plain characters, and without the secret", () => {
  const description = `no \u001b[31m${secret}\u0000 ${"x".repeat(5000)}`;
  assert.throws(
    () => read({ error: "invalid_client", error_description: description }, 401),
    (error) => {
      const { message } = error as TokenError;
      assert.ok(message.includes("invalid_client: no  [31m***  x"), message);
      assert.ok(message.length < 500);
      assert.ok(!message.includes(secret));
      return true;
    },
  );
});
