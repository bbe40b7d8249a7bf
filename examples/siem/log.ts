import type { ConsumerLogger } from "./certwire.ts";

/** Writes lines of JSON to standard error. A line with `"alarm": true` needs a person. */
export const log: ConsumerLogger = {
  debug: () => undefined,
  info: lineOf("info"),
  warn: lineOf("warn"),
  error: lineOf("error"),
};

function lineOf(level: string) {
  return (fields: object, message: string): void => {
    const line = { time: new Date().toISOString(), level, message, ...fields };
    process.stderr.write(`${escaped(JSON.stringify(line))}\n`);
  };
}

/** JSON without the characters that a terminal acts on: a requester chooses some texts of an event. */
function escaped(json: string): string {
  return json.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from({ length: character.length }, (_, at) => {
        const unit = character.charCodeAt(at).toString(16).padStart(4, "0");
        return `\\u${unit}`;
      }).join(""),
  );
}
