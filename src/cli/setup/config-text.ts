import type { SetupPlaces } from "./options.ts";
import type { SinkText } from "./sinks.ts";

/** The text of a new configuration, with comments. */
export function configText(places: SetupPlaces, sinks: readonly SinkText[]): string {
  return `// Configuration of the Certwire service, made by \`certwire setup\`.
// docs/reference/configuration.md has every key. After a change: certwire check --config FILE
{
  // Written by the exit module; read and cleaned up by the service.
  "journal": {
    "directory": ${JSON.stringify(places.journal)},
    // How long published records are kept for replay, in days.
    "replayWindowDays": 7,
    // Maximum size, in MiB. At 85 % the oldest segments are deleted even if a sink still needs them.
    "maxMegabytes": 10240
  },

  // Checkpoints, dead letters, copies of damaged records.
  "state": { "directory": ${JSON.stringify(places.state)} },

  // Health, status and metrics over HTTP, for this machine only.
  // "http": { "listen": "127.0.0.1:9470" },

  // Each sink has its own checkpoint: one that is down delays neither the CA nor the other sinks. Passwords are in
  // files; a new one there is used at the next try.
  "sinks": [
${sinks.map(sinkText).join(",\n")}
  ]
}
`;
}

/** What a reader should know of a sink. */
const notes: Readonly<Record<string, string>> = {
  kafka: "The topic must exist: none is ever created.",
  rabbitmq: "The exchange must exist, of type topic; `topology` can have it declared.",
};

function sinkText(sink: SinkText): string {
  const lines = Object.entries(sink).map(([key, value]) => {
    const note = key === "url" ? notes[sink.name] : undefined;
    const comment = note === undefined ? "" : `      // ${note}\n`;
    return `${comment}      ${JSON.stringify(key)}: ${valueText(value)}`;
  });
  return `    {\n${lines.join(",\n")}\n    }`;
}

/** JSON in one line, with spaces as people write it. */
function valueText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.entries(value).map(
    ([key, inner]) => `${JSON.stringify(key)}: ${valueText(inner)}`,
  );
  return `{ ${keys.join(", ")} }`;
}
