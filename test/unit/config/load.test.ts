import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { ConfigError, formatDiagnostic } from "../../../src/config/config-error.ts";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";

const directory = mkdtempSync(join(tmpdir(), "certwire-config-"));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, "password.txt"), "from-a-file\nsecond line\n");
writeFileSync(join(directory, "empty.txt"), "\n");
writeFileSync(join(directory, "utf16.txt"), Buffer.from("\uFEFFs3cret\r\n", "utf16le"));
writeFileSync(join(directory, "bare-utf16.txt"), Buffer.from("hunter2\r\n", "utf16le"));
writeFileSync(join(directory, "latin1.txt"), Buffer.from("hunter2ü\n", "latin1"));
writeFileSync(join(directory, "zeros.txt"), Buffer.alloc(100));
process.env["CERTWIRE_TEST_PASSWORD"] = "from-the-environment";
after(() => delete process.env["CERTWIRE_TEST_PASSWORD"]);

/** Wraps sinks, one per line starting at line 4, into an otherwise good configuration. */
function withSinks(...sinks: string[]): string {
  const head = '{\n"journal": { "directory": "j" }, "state": { "directory": "s" },\n"sinks": [\n';
  return `${head}${sinks.join(",\n")}\n]}`;
}

function withSection(section: string): string {
  return `{\n"journal": { "directory": "j" }, "state": { "directory": "s" },\n${section},\n"sinks": [{ "name": "a", "url": "stdout:" }]\n}`;
}

interface BadConfig {
  readonly about: string;
  readonly text: string;
  /** `line:column: message` of each problem. */
  readonly problems: readonly string[];
  /** Hint of the first problem. */
  readonly hint?: RegExp;
}

const badConfigs: readonly BadConfig[] = [
  {
    about: "an empty file",
    text: "\n",
    problems: ["1:1: the file is empty"],
  },
  {
    about: "a Windows path with single backslashes",
    text: '{\n  "journal": { "directory": "C:\\Certwire\\journal" },\n}',
    problems: ["2:29: not JSON: invalid escape character"],
    hint: /Write each backslash as \\\\/,
  },
  {
    about: "a missing comma",
    text: '{\n  "state": { "directory": "s" }\n  "log": {}\n}',
    problems: ["3:3: not JSON: comma expected"],
  },
  {
    about: "a list instead of an object",
    text: "[]",
    problems: ["1:1: must be an object in { }"],
  },
  {
    about: "missing sections",
    text: "{\n}",
    problems: ['1:1: "journal" is missing', '1:1: "state" is missing', '1:1: "sinks" is missing'],
    hint: /The journal: where it is/,
  },
  {
    about: "no sink",
    text: withSinks(),
    problems: ["3:10: sinks: needs at least one entry"],
  },
  {
    about: "an unknown key at the top",
    text: withSection('"loging": { "level": "info" }'),
    problems: ['3:1: unknown key "loging"'],
    hint: /Did you mean "log"\?|Known keys: .*log/,
  },
  {
    about: "an unknown key in a section",
    text: '{ "journal": { "directory": "j",\n  "polMs": 3 }, "state": { "directory": "s" }, "sinks": [{ "name": "a", "url": "stdout:" }] }',
    problems: ['2:3: journal: unknown key "polMs"'],
    hint: /Did you mean "pollMs"\?/,
  },
  {
    about: "a key that is written twice",
    text: withSection('"log": { "level": "info" }, "log": {}'),
    problems: ['3:29: "log" occurs twice'],
  },
  {
    about: "a word that is not one of the choices",
    text: withSection('"log": { "level": "wanr" }'),
    problems: [
      '3:19: log.level: must be one of "trace", "debug", "info", "warn", "error", "fatal"',
    ],
    hint: /Did you mean "warn"\?/,
  },
  {
    about: "a number in quotes",
    text: '{ "journal": { "directory": "j", "pollMs": "20" },\n"state": { "directory": "s" }, "sinks": [{ "name": "a", "url": "stdout:" }] }',
    problems: ["1:44: journal.pollMs: must be a number"],
  },
  {
    about: "a number out of range",
    text: withSinks('{ "name": "a", "url": "stdout:", "batchEvents": 0 }'),
    problems: ["4:49: sinks[0].batchEvents: must be at least 1"],
  },
  {
    about: "a fraction where a whole number belongs",
    text: withSinks('{ "name": "a", "url": "file:out", "maxFiles": 1.5 }'),
    problems: ["4:47: sinks[0].maxFiles: must be a whole number"],
  },
  {
    about: "an event type prefix without its dot",
    text: withSection('"events": { "typePrefix": "com.example" }'),
    problems: ["3:27: events.typePrefix: must be a reversed DNS name that ends in a dot"],
    hint: /Prefix of every event type/,
  },
  ...["-.", "com.-example.", "com.example-.", "com..example.", "Com.example.", ".", "c\u00e0."].map(
    (typePrefix) => ({
      about: `the event type prefix ${typePrefix}`,
      text: withSection(`"events": { "typePrefix": "${typePrefix}" }`),
      problems: ["3:27: events.typePrefix: must be a reversed DNS name that ends in a dot"],
    }),
  ),
  {
    about: "a source that no CloudEvents SDK parses",
    text: withSection('"events": { "source": "Contoso Issuing CA 1" }'),
    problems: [
      "3:23: events.source: must be a URI reference (RFC 3986) such as urn:example:issuing-ca-1: no spaces, other characters percent-encoded",
    ],
  },
  {
    about: "a sink without a name, one without a URL, one that is not an object",
    text: withSinks('{ "url": "stdout:" }', '{ "name": "b" }', "7"),
    problems: [
      '4:1: sinks[0]: "name" is missing',
      '5:1: sinks[1]: "url" is missing',
      "6:1: sinks[2]: must be an object in { }",
    ],
  },
  {
    about: "a misspelt URL scheme",
    text: withSinks('{ "name": "a", "url": "kafak://broker/topic" }'),
    problems: ["4:23: sinks[0].url: no sink supports kafak: URLs"],
    hint: /Did you mean "kafka:"\?/,
  },
  {
    about: "something that is not a URL",
    text: withSinks('{ "name": "a", "url": "broker" }'),
    problems: ["4:23: sinks[0].url: must be a URL"],
    hint: /URLs start with kafka:/,
  },
  {
    about: "a Kafka URL without a topic",
    text: withSinks('{ "name": "a", "url": "kafka://broker:9092" }'),
    problems: ["4:23: sinks[0].url: the URL names no topic"],
    hint: /kafka:\/\/host:9092\/topic/,
  },
  {
    about: "a port that is out of range",
    text: withSinks('{ "name": "a", "url": "kafka://broker:99999/topic" }'),
    problems: ["4:23: sinks[0].url: the URL names a server that is not host or host:port"],
  },
  {
    about: "an option of another kind of sink",
    text: withSinks('{ "name": "a", "url": "kafka://broker/topic", "window": 3 }'),
    problems: ['4:47: sinks[0]: unknown key "window"'],
    hint: /Known keys: .*compression/,
  },
  {
    about: "TLS options for a URL without TLS",
    text: withSinks('{ "name": "a", "url": "amqp://broker", "tls": { "caFile": "ca.pem" } }'),
    problems: ["4:47: sinks[0].tls: needs an amqps:// URL"],
  },
  {
    about: "two sinks of one name",
    text: withSinks('{ "name": "a", "url": "stdout:" }', '{ "name": "a", "url": "file:out" }'),
    problems: ['5:11: sinks[1].name: sink "a" occurs twice'],
    hint: /its own name/,
  },
  {
    about: "a sink name that cannot be a file name",
    text: withSinks('{ "name": "../a", "url": "stdout:" }'),
    problems: ["4:11: sinks[0].name: must be 1 to 63 of a-z, 0-9 and -, not starting with -"],
  },
  {
    about: "a password in a URL",
    text: withSinks('{ "name": "a", "url": "amqp://certwire:hunter2@broker" }'),
    problems: ["4:23: sinks[0].url: the URL holds a password"],
    hint: /by reference/,
  },
  {
    about: "a password in clear",
    text: withSinks('{ "name": "a", "url": "amqp://me@broker", "password": "hunter2" }'),
    problems: ["4:55: sinks[0].password: must be a reference, not the secret itself"],
    hint: /"file": "path"/,
  },
  {
    about: "a password without a user",
    text: withSinks(
      '{ "name": "a", "url": "amqp://broker/vhost", "password": { "file": "password.txt" } }',
    ),
    problems: ["4:23: sinks[0].url: the URL names no user for the password"],
    hint: /amqp:\/\/user@host/,
  },
  {
    about: "a reference of an unknown kind",
    text: withSinks(
      '{ "name": "a", "url": "amqp://me@broker", "password": { "value": "hunter2" } }',
    ),
    problems: [
      '4:55: sinks[0].password: must be a reference to a secret: { "file": "path" } or { "environment": "NAME" }',
    ],
  },
  {
    about: "a secret file in UTF-16 without a mark, in Latin-1, or of NUL bytes",
    text: withSinks(
      '{ "name": "a", "url": "amqp://me@broker", "password": { "file": "bare-utf16.txt" } }',
      '{ "name": "b", "url": "amqp://me@broker", "password": { "file": "latin1.txt" } }',
      '{ "name": "d", "url": "amqp://me@broker", "password": { "file": "zeros.txt" } }',
    ),
    problems: [
      "4:65: sinks[0].password.file: the secret file is UTF-16 without a byte order mark; save it as UTF-8",
      "5:65: sinks[1].password.file: the secret file is not UTF-8 but an 8-bit code page such as Windows-1252 or Latin-1; save it as UTF-8",
      "6:65: sinks[2].password.file: the secret file is not text: it holds NUL bytes",
    ],
    hint: /bare-utf16\.txt as UTF-8/,
  },
  {
    about: "a path whose single backslashes are escapes of JSON",
    text: '{\n"journal": { "directory": "C:\\temp\\new\\backup" }, "state": { "directory": "s" },\n"sinks": [{ "name": "a", "url": "stdout:" }]\n}',
    problems: ["2:27: journal.directory: the path has the control character U+0009"],
    hint: /Write each backslash as \\\\/,
  },
  {
    about: "control characters in paths",
    text: withSinks(
      '{ "name": "a", "url": "file:///a%00b" }',
      '{ "name": "b", "url": "kafkas://b/t", "tls": { "caFile": "a\\u0000b" } }',
      '{ "name": "c", "url": "amqp://me@broker", "password": { "file": "a\\u0007" } }',
    ),
    problems: [
      "4:23: sinks[0].url: the path has the control character U+0000",
      "5:58: sinks[1].tls.caFile: the path has the control character U+0000",
      "6:65: sinks[2].password.file: the path has the control character U+0007",
    ],
  },
  {
    about: "two file sinks in one directory",
    text: withSinks(
      '{ "name": "a", "url": "file:events" }',
      '{ "name": "b", "url": "file:x/../events" }',
    ),
    problems: ['5:23: sinks[1].url: sink "a" writes to the same place'],
  },
  {
    about: "a sink with the name of a Windows device",
    text: withSinks('{ "name": "nul", "url": "stdout:" }', '{ "name": "com1", "url": "stdout:" }'),
    problems: [
      "4:11: sinks[0].name: is the name of a device on Windows",
      "5:11: sinks[1].name: is the name of a device on Windows",
    ],
  },
  {
    about: "a RabbitMQ user without a password",
    text: withSinks(
      '{ "name": "a", "url": "amqp://svc@broker" }',
      '{ "name": "b", "url": "amqp://@broker" }',
      '{ "name": "c", "url": "amqp://broker?exchange=x&exchange=y" }',
    ),
    problems: [
      "4:23: sinks[0].url: the URL names a user, but there is no password",
      "5:23: sinks[1].url: the URL names an empty user",
      "6:23: sinks[2].url: the URL names more than one exchange",
    ],
  },
  {
    about: "a file that is nested too deep",
    text: `{\n"journal": ${"[".repeat(20_000)}`,
    problems: ["2:43: nested more than 32 levels deep"],
  },
  {
    about: "secrets that cannot be read",
    text: withSinks(
      '{ "name": "a", "url": "amqp://me@broker", "password": { "file": "none.txt" } }',
      '{ "name": "b", "url": "amqp://me@broker", "password": { "environment": "CERTWIRE_NONE" } }',
      '{ "name": "d", "url": "amqp://me@broker", "password": { "file": "empty.txt" } }',
    ),
    problems: [
      "4:65: sinks[0].password.file: the secret file cannot be read: ENOENT",
      "5:72: sinks[1].password.environment: the environment variable is not set",
      "6:65: sinks[2].password.file: the first line of the secret file is empty",
    ],
    hint: /none\.txt exists/,
  },
];

const file = join(directory, "certwire.jsonc");

function problemsOf(text: string): ConfigError {
  try {
    parseConfig(file, text);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  throw new assert.AssertionError({ message: "the configuration was accepted" });
}

for (const { about, text, problems, hint } of badConfigs) {
  test(`${about} is reported at its line and column`, () => {
    const error = problemsOf(text);
    const found = error.diagnostics.map(({ line, column, path, message }) =>
      [`${line}:${column}:`, ...(path ? [`${path}:`] : []), message].join(" "),
    );
    assert.deepEqual(found, problems);
    if (hint) assert.match(error.diagnostics[0]?.hint ?? "", hint);
    assert.equal(error.exitCode, 78);
    const shown = error.diagnostics.map(formatDiagnostic).join("\n");
    assert.ok(!`${shown}${JSON.stringify(error)}`.includes("hunter2"), "a secret is shown");
  });
}

test("a problem is shown with its file, source line, carets and hint", () => {
  const text =
    '{\n\t"journal": { "directory": "j", "mode": "durabel" }, "state": { "directory": "s" }, "sinks": [] }';
  const [diagnostic] = problemsOf(text).diagnostics;
  assert.ok(diagnostic);
  assert.deepEqual(formatDiagnostic({ ...diagnostic, file: "prod.jsonc" }).split("\n"), [
    'prod.jsonc:2:41: journal.mode: must be one of "durable", "committed"',
    '  2 |  "journal": { "directory": "j", "mode": "durabel" }, "state": { "directory": "s" }, "sinks": [] }',
    "    |                                         ^^^^^^^^^",
    '  hint: Did you mean "durable"?',
  ]);
});

test("values of unknown keys and of keys that sound like secrets are never shown", () => {
  const text = withSinks(
    '{ "name": "a", "url": "kafka://b/t", "sasl": { "mechanism": "plain", "username": "u", "pasword": "hunter2", "password": ["hunter3", hunter4] } }',
    '{ "name": "b", "url": "kafka://b/t", "whatever": { "x": "hunter5" }, "n": 4711 }',
  );
  const shown = problemsOf(text).diagnostics.map(formatDiagnostic).join("\n");
  assert.doesNotMatch(shown, /hunter|4711/);
});

test("a file that cannot be read is a configuration error with a hint", () => {
  assert.throws(
    () => loadConfig(join(directory, "none.jsonc")),
    (error) =>
      error instanceof CertwireError && error.exitCode === 78 && /ENOENT/.test(error.message),
  );
});

test("comments, trailing commas and a byte order mark are allowed, and defaults are filled in", () => {
  const path = join(directory, "good.jsonc");
  writeFileSync(path, `\uFEFF// comment\n${withSinks('{ "name": "a", "url": "stdout:", }')}`);
  const config = loadConfig(path);
  assert.equal(config.journal.directory, resolve(directory, "j"));
  assert.equal(config.journal.mode, "durable");
  assert.equal(config.journal.pollMs, 20);
  assert.equal(config.events.typePrefix, "io.certwire.");
  assert.equal(config.log.level, "info");
  assert.equal(config.sinks[0]?.kind, "stdout");
});

test("secrets are read from files and the environment, those of disabled sinks are not", () => {
  const { sinks } = parseConfig(
    file,
    withSinks(
      '{ "name": "a", "url": "amqp://me@broker", "password": { "file": "password.txt" } }',
      '{ "name": "b", "url": "amqp://me@broker", "password": { "environment": "CERTWIRE_TEST_PASSWORD" } }',
      '{ "name": "c", "url": "amqp://me@broker", "enabled": false, "password": { "file": "none.txt" } }',
    ),
  );
  assert.deepEqual(sinks.map(passwordIn), ["from-a-file", "from-the-environment", ""]);
});

test("a configuration and a secret in UTF-16 with a byte order mark are read as they are meant", () => {
  const path = join(directory, "utf16.jsonc");
  const sink = '{ "name": "a", "url": "amqp://me@broker", "password": { "file": "utf16.txt" } }';
  const text = Buffer.from(`\uFEFF${withSinks(sink)}`, "utf16le");
  for (const bytes of [text, Buffer.from(text).swap16()]) {
    writeFileSync(path, bytes);
    const [loaded] = loadConfig(path).sinks;
    assert.equal(loaded && passwordIn(loaded), "s3cret");
  }
});

test("a secret that was written into a configuration is hidden in every encoding", () => {
  const path = join(directory, "shown.jsonc");
  const text = withSinks('{ "name": "a", "url": "amqp://me@broker", "password": "hunter2ü" }');
  const bytes = [
    Buffer.from(text),
    Buffer.from(`\uFEFF${text}`, "utf16le"),
    Buffer.from(text, "utf16le"),
    Buffer.from(text, "latin1"),
  ];
  const shown = bytes.map((each) => {
    writeFileSync(path, each);
    try {
      loadConfig(path);
    } catch (error) {
      assert.ok(error instanceof CertwireError && error.exitCode === 78);
      const diagnostics = error instanceof ConfigError ? error.diagnostics : [];
      return [error.message, ...diagnostics.map(formatDiagnostic)].join("\n");
    }
    throw new assert.AssertionError({ message: "the configuration was accepted" });
  });
  assert.doesNotMatch(shown.join("\n"), /hunter/);
  assert.match(shown[2] ?? "", /shown\.jsonc is UTF-16 without a byte order mark/);
  assert.match(shown[3] ?? "", /shown\.jsonc is not UTF-8 but an 8-bit code page/);
});

function passwordIn({ options }: { readonly options: object }): string {
  const { password } = options as { readonly password: () => string };
  return password();
}
