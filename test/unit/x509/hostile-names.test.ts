import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest } from "../../../src/x509/certification-request.ts";
import { redactRequest } from "../../../src/x509/redact-request.ts";
import { isSecretName, mentionsSecret } from "../../../src/x509/secret-names.ts";
import { der } from "../../support/build-der.ts";
import {
  attribute,
  bmp,
  cmc,
  control,
  pair,
  pkcs10,
  tagged,
  types,
  utf8,
} from "../../support/build-request.ts";

/** What a name loses before it is normalized; none of it can become a letter of a word. */
const removed = /[\p{M}\p{Script=Arabic}]/u;

const marks = "\u0301\u0323";
/** Runs of marks as they are, in percent encoding, between U+0000, and as characters that decompose into some. */
const hostile = [
  marks.repeat(7000),
  "\u0301%\u0323".repeat(4000),
  `\0${marks}`.repeat(4000),
  "\u0344".repeat(14_000),
  "\u1f82\uff9e\uff9f".repeat(4000),
  "\ufdfa".repeat(14_000),
  "\u{1d165}\u{1d16e}".repeat(3000),
];

// `normalize` sorts a run of marks in quadratic time.
test("no run of marks that a requester chose is normalized", (t) => {
  const { mock } = t.mock.method(String.prototype, "normalize");
  for (const text of hostile) {
    for (const name of [text, `Pass${text}word`]) {
      assert.equal(isSecretName(name), name !== text);
      assert.equal(mentionsSecret(name), name !== text);
      for (const raw of [
        pkcs10([attribute(types.pair, pair(bmp(name), bmp("x")), pair(utf8(name), utf8(name)))]),
        cmc({
          controls: [control(types.registrationInfo, der(0x04, Buffer.from(`${name}=x`)))],
          requests: [tagged(pkcs10([]))],
        }),
      ]) {
        parseRequest(raw);
        redactRequest(raw);
      }
    }
  }
  assert.ok(mock.callCount() > 0);
  for (const call of mock.calls) assert.equal(removed.test(String(call.this)), false);
});

test("of a character that is normalized come at most three marks, and seven characters", () => {
  for (let point = 0x80; point < 0x3_0000; point++) {
    const character = String.fromCodePoint(point);
    if (removed.test(character)) {
      assert.equal(/[A-Za-z0-9]/.test(character.normalize("NFKD")), false, point.toString(16));
      continue;
    }
    const parts = character.normalize("NFKD");
    assert.ok(parts.length <= 7 * character.length, point.toString(16));
    assert.ok((parts.match(/\p{M}/gu) ?? []).length <= 3, point.toString(16));
  }
});
