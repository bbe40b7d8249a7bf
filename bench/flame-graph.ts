// Draws where the processor time of a program went, by a profile of `node --cpu-prof`, as a flame graph: each function is as
// wide as the time in it and what it calls. Prints SVG: node flame-graph.js PROFILE FUNCTION
// FUNCTION is the name of the lowest one, such as journalToBytes; what is outside of it is left out.
import { readFileSync } from "node:fs";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function called by the same callers, over all calls. */
interface Frame {
  readonly name: string;
  micros: number;
  readonly callees: Map<string, Frame>;
}

const [file = "", root = ""] = process.argv.slice(2);
const width = 1600;
const rowHeight = 16;
/** Narrower frames are left out, in pixels. */
const narrowest = 1;
/** Width of a character, in pixels. */
const characterWidth = 6;

const profile = JSON.parse(readFileSync(file, "utf8")) as Profile;
const byId = new Map(profile.nodes.map((node) => [node.id, node]));
const ownMicros = new Map<number, number>();
for (const [at, id] of profile.samples.entries()) {
  ownMicros.set(id, (ownMicros.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0));
}

function nameOf({ callFrame }: ProfileNode): string {
  const place = callFrame.url.replace(/^.*\//, "").replace(/\.js$/, "");
  return `${callFrame.functionName || "(anonymous)"} ${place}`.trim();
}

const newFrame = (name: string): Frame => ({ name, micros: 0, callees: new Map() });

/** Adds a node and what it calls; returns its time. */
function add(node: ProfileNode, into: Frame | undefined): number {
  const isRoot = into === undefined && node.callFrame.functionName === root;
  const caller = isRoot ? whole : into;
  const name = nameOf(node);
  const own = caller && (isRoot ? caller : (caller.callees.get(name) ?? newFrame(name)));
  if (caller && own && !isRoot) caller.callees.set(name, own);
  let micros = ownMicros.get(node.id) ?? 0;
  for (const id of node.children ?? []) micros += add(byId.get(id)!, own);
  if (own) own.micros += micros;
  return micros;
}

const whole = newFrame(root);
add(profile.nodes[0]!, undefined);

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const drawn: string[] = [];
let depth = 0;

function draw(frame: Frame, left: number, row: number): void {
  const size = (frame.micros / whole.micros) * width;
  if (size < narrowest) return;
  depth = Math.max(depth, row + 1);
  const share = `${((100 * frame.micros) / whole.micros).toFixed(1)} %`;
  const label = frame.name.slice(0, Math.floor(size / characterWidth) - 1);
  const hue = 20 + ((frame.name.length * 7) % 35);
  drawn.push(
    `<g transform="translate(${left.toFixed(1)} ${row * rowHeight})">` +
      `<title>${escaped(frame.name)}: ${share}</title>` +
      `<rect width="${size.toFixed(1)}" height="${rowHeight - 1}" fill="hsl(${hue} 80% 70%)"/>` +
      `<text x="2" y="11">${escaped(label)}</text></g>`,
  );
  let at = left;
  for (const callee of [...frame.callees.values()].toSorted((a, b) => b.micros - a.micros)) {
    draw(callee, at, row + 1);
    at += (callee.micros / whole.micros) * width;
  }
}

draw(whole, 0, 0);
const height = depth * rowHeight;
process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="10">\n` +
    `${drawn.join("\n")}\n</svg>\n`,
);
