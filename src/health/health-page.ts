import { healthReasons } from "./reasons.ts";

const head = `# Health

The service and \`certwire status\` describe how well events flow by one state with its reasons:

| state | meaning | \`certwire status\` ends with |
|---|---|---|
| \`ok\` | events flow, or there are none | 0 |
| \`degraded\` | nothing is lost and events may still flow; read the reasons, plan what they say | 10 |
| \`failing\` | somebody must act: events do not reach a sink, or may get lost | 11 |

A reason has a \`code\` (below, stable across versions), its \`state\`, the \`sink\` it is about, \`since\` when, a \`detail\`, and what to
do. The worst reason decides. A CA that was stopped is not a reason.

Not everything can be seen: whether the CA runs is known from the exit module's lock, signs of life and last record only, not from
Windows; the end of the CA's own certificate is in its events. The time of the machine is compared with the newest record, not with a time server.
`;

/** The text of docs/reference/health.md. */
export function healthPage(): string {
  const sections = Object.entries(healthReasons).map(
    ([code, { meaning, when, hint }]) =>
      `## ${code}\n\n${meaning}\n\n- State: ${when}\n- What to do: ${hint}\n`,
  );
  return `${head}\n${sections.join("\n")}`;
}
