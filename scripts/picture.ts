/** A group or box: where it stands, in px, and its lines of text. */
interface Shape {
  readonly kind: "group" | "step" | "file" | "other";
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
}

/** A straight arrow from one shape to another. */
interface Arrow {
  readonly from: string;
  readonly to: string;
  /** Its x if it is vertical, its y if it is horizontal; default the middle of what both shapes share. */
  readonly at: number | undefined;
  readonly label: string;
}

const lineHeight = 16;
/** Distance between the border of a shape and a text that starts at the left. */
const padding = 12;
/** Distance of the label of a vertical arrow from the upper of its ends. */
const labelDistance = 44;

// Pages show the picture on a light or a dark ground, so it brings its own.
const style = `
  svg { font: 12.5px "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
  .ground { fill: #ffffff; }
  .group { fill: #f4f6f8; stroke: #b6bec8; }
  .step { fill: #dcebfa; stroke: #2f6fab; }
  .file { fill: #fdf3d6; stroke: #9a7412; }
  .other { fill: #ffffff; stroke: #5c6670; stroke-dasharray: 4 3; }
  .line { stroke: #39434d; stroke-width: 1.4; }
  .head { fill: #39434d; }
  text { fill: #1b2229; }
  .name { font-weight: 600; }
  .label { fill: #39434d; font-style: italic; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0f1419; }
    .group { fill: #171e26; stroke: #4a5663; }
    .step { fill: #16344f; stroke: #6aa9e6; }
    .file { fill: #3a2f10; stroke: #d9b24c; }
    .other { fill: #0f1419; stroke: #98a3ae; }
    .line { stroke: #b9c3cd; }
    .head { fill: #b9c3cd; }
    text { fill: #e6ebf0; }
    .label { fill: #b9c3cd; }
  }
`;

/** The SVG of a picture that is described line by line; see docs/explanation/architecture.txt. */
export function pictureSvg(description: string): string {
  const shapes = new Map<string, Shape>();
  const arrows: Arrow[] = [];
  let [title, size] = ["", [0, 0]];
  for (const line of description.split("\n")) {
    const [word = "", ...words] = line.split(/\s+/);
    if (word === "" || word === "#") continue;
    if (word === "title") title = words.join(" ");
    else if (word === "size") size = words.map(Number);
    else if (word === "arrow") arrows.push(parseArrow(line));
    else shapes.set(words[0] ?? "", parseShape(line));
  }
  const [width, height] = size;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<style>${style}</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="ground" width="${width}" height="${height}"/>
${[...shapes.values()].map(drawShape).join("\n")}
${arrows.map((arrow) => drawArrow(arrow, shapes)).join("\n")}
</svg>
`;
}

function parseShape(line: string): Shape {
  const match = /^(group|step|file|other)\s+\w+\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
  if (match === null) throw new Error(`not a line of a picture: ${line}`);
  const [, kind, left, top, width, height, text = ""] = match;
  return {
    kind: kind as Shape["kind"],
    left: Number(left),
    top: Number(top),
    width: Number(width),
    height: Number(height),
    lines: text.split(" | "),
  };
}

function parseArrow(line: string): Arrow {
  const match = /^arrow\s+(\w+)\s+(\w+)(?:\s+(\d+))?(?:\s+: (.*))?$/.exec(line);
  if (match === null) throw new Error(`not an arrow: ${line}`);
  const [, from = "", to = "", at, label = ""] = match;
  return { from, to, at: at === undefined ? undefined : Number(at), label };
}

function drawShape(shape: Shape): string {
  const { kind, left, top, width, height, lines } = shape;
  const rect = `<rect class="${kind}" x="${left}" y="${top}" width="${width}" height="${height}" rx="6"/>`;
  return [rect, ...lines.map((text, index) => drawLine(shape, text, index))].join("\n");
}

/** Steps have their text in the middle; groups and files start at the top left. */
function drawLine(shape: Shape, text: string, index: number): string {
  const { kind, left, top, width, height, lines } = shape;
  const isCentred = kind === "step" || kind === "other";
  const first = isCentred ? top + (height - lines.length * lineHeight) / 2 : top + padding / 2;
  const [x, anchor] = isCentred ? [left + width / 2, "middle"] : [left + padding, "start"];
  const name = index === 0 ? ' class="name"' : "";
  const y = first + index * lineHeight + 12;
  return `<text${name} x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(text)}</text>`;
}

function drawArrow({ from, to, at, label }: Arrow, shapes: ReadonlyMap<string, Shape>): string {
  const [start, end] = [from, to].map((name) => shapes.get(name));
  if (!start || !end) throw new Error(`an arrow goes from ${from} to ${to}: one is missing`);
  const across = middleOfBoth(start.left, start.width, end.left, end.width);
  const isVertical = across !== undefined;
  const middle = across ?? middleOfBoth(start.top, start.height, end.top, end.height);
  if (middle === undefined) throw new Error(`no straight arrow goes from ${from} to ${to}`);
  const place = at ?? middle;
  const [a, b] = isVertical
    ? ends(start.top, start.height, end.top, end.height)
    : ends(start.left, start.width, end.left, end.width);
  const points = isVertical ? [place, a, place, b] : [a, place, b, place];
  const [x1, y1, x2, y2] = points;
  const arrow = `<line class="line" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" marker-end="url(#head)"/>`;
  if (label === "") return arrow;
  const y = Math.min(a, b) + labelDistance;
  return `${arrow}\n<text class="label" x="${place + 8}" y="${y}">${escapeXml(label)}</text>`;
}

/** Middle of what two ranges share; `undefined` when they share nothing. */
function middleOfBoth(a: number, aSize: number, b: number, bSize: number): number | undefined {
  const [from, to] = [Math.max(a, b), Math.min(a + aSize, b + bSize)];
  return from < to ? (from + to) / 2 : undefined;
}

/** The ends of an arrow between two ranges that follow each other. */
function ends(a: number, aSize: number, b: number, bSize: number): [number, number] {
  return a < b ? [a + aSize, b] : [a, b + bSize];
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
