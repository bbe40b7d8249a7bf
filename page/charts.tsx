import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import type { Status } from "../src/health/status.ts";
import type { HistoryPoint, SinkSample } from "../src/service/history.ts";
import { formatDuration } from "../src/units.ts";
import { rateText, Text } from "./text.tsx";

/** What one chart shows of each sink. */
interface Quantity {
  readonly id: string;
  readonly title: string;
  readonly read: (sample: SinkSample) => number | undefined;
  readonly text: (value: number) => string;
  readonly isLogarithmic: boolean;
}

const quantities: readonly Quantity[] = [
  {
    id: "rate",
    title: "Acknowledged events per second",
    read: ({ eventsPerSecond }) => eventsPerSecond,
    text: rateText,
    isLogarithmic: false,
  },
  {
    id: "latency",
    title: "Latency, p99: from record to acknowledgement",
    read: ({ p99Seconds }) => p99Seconds,
    text: (seconds) => formatDuration(seconds * 1000),
    isLogarithmic: true,
  },
];

/** How many sinks have a colour of their own; the next ones have the same in dashes. */
const colours = 6;

/** Rates and latencies of the last hour. */
export function Charts(props: {
  readonly status: Status;
  readonly points: readonly HistoryPoint[];
}): JSX.Element {
  const names = props.status.sinks.map(({ name }) => name);
  return (
    <section aria-labelledby="hour-heading">
      <h2 id="hour-heading">The last hour</h2>
      <div class="charts">
        {quantities.map((quantity) => (
          <Chart key={quantity.id} quantity={quantity} names={names} points={props.points} />
        ))}
      </div>
    </section>
  );
}

interface ChartProps {
  readonly quantity: Quantity;
  readonly names: readonly string[];
  readonly points: readonly HistoryPoint[];
}

function Chart({ quantity, names, points }: ChartProps): JSX.Element {
  const { id, title, read, text } = quantity;
  const [pointed, setPointed] = useState<number>();
  const at = pointed ?? points.length - 1;
  const point = points[at];
  return (
    <figure class="panel chart" aria-labelledby={`${id}-title`}>
      <figcaption id={`${id}-title`}>{title}</figcaption>
      <Plot quantity={quantity} names={names} points={points} pointed={setPointed} />
      <p class="time">
        {point === undefined ? "The first point comes after 10 s." : clockText(point.timeMs)}
      </p>
      <ul class="legend">
        {names.map((name, index) => {
          const sample = point?.sinks[name];
          const value = sample && read(sample);
          return (
            <li key={name}>
              <span class={`swatch colour-${index % colours}`} aria-hidden="true" />
              <Text>{name}</Text>{" "}
              <span class="value">{value === undefined ? "–" : text(value)}</span>
            </li>
          );
        })}
      </ul>
      <details>
        <summary>As a table</summary>
        <Table quantity={quantity} names={names} points={points} />
      </details>
    </figure>
  );
}

function clockText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(11, 19)} UTC`;
}

/** The highest value of every five minutes, the newest first. */
function Table({ quantity, names, points }: ChartProps): JSX.Element {
  const minutes = 5;
  const stepMs = minutes * 60_000;
  const steps = [...new Set(points.map(({ timeMs }) => Math.floor(timeMs / stepMs)))].toReversed();
  const highest = (step: number, name: string): string => {
    const values = points
      .filter(({ timeMs }) => Math.floor(timeMs / stepMs) === step)
      .flatMap(({ sinks }) => (sinks[name] && quantity.read(sinks[name])) ?? []);
    return values.length === 0 ? "–" : quantity.text(Math.max(...values));
  };
  return (
    <div class="scroll" role="region" aria-label={quantity.title} tabIndex={0}>
      <table>
        <caption>Highest value in each {minutes} minutes</caption>
        <thead>
          <tr>
            <th scope="col">from (UTC)</th>
            {names.map((name) => (
              <th key={name} scope="col" class="number">
                <Text>{name}</Text>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step}>
              <th scope="row">{new Date(step * stepMs).toISOString().slice(11, 16)}</th>
              {names.map((name) => (
                <td key={name} class="number">
                  {highest(step, name)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface PlotProps extends ChartProps {
  /** Called with the point under the mouse. */
  readonly pointed: (at: number | undefined) => void;
}

const height = 190;
/** What is below it is drawn like it on a logarithmic axis. */
const leastLogarithmic = 1e-4;

/** The lines themselves; whoever cannot see them has the table. */
function Plot({ quantity, names, points, pointed }: PlotProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const isDark = useDarkScheme();
  const key = names.join("\n");
  useEffect(() => {
    const { current: element } = place;
    if (element === null) return undefined;
    const made = new UPlot(optionsOf(quantity, names, element, pointed), dataOf(), element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [key, isDark]);
  const dataOf = (): UPlot.AlignedData => [
    points.map(({ timeMs }) => timeMs / 1000),
    ...names.map((name) =>
      points.map(({ sinks }) => {
        const value = sinks[name] && quantity.read(sinks[name]);
        if (value === undefined) return null;
        return quantity.isLogarithmic ? Math.log10(Math.max(value, leastLogarithmic)) : value;
      }),
    ),
  ];
  useEffect(() => plot.current?.setData(dataOf()), [points]);
  return <div class="plot" ref={place} aria-hidden="true" />;
}

function optionsOf(
  { text, isLogarithmic }: Quantity,
  names: readonly string[],
  element: HTMLElement,
  pointed: (at: number | undefined) => void,
): UPlot.Options {
  const colour = (name: string): string =>
    getComputedStyle(element).getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour("quiet"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth,
    height,
    // The axis is in UTC, as all times of the page are.
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    hooks: { setCursor: [({ cursor }) => pointed(cursor.idx ?? undefined)] },
    scales: {
      x: { time: true, range: (_plot, _min, max) => [max - 3600, max] },
      y: {
        range: (_plot, min, max) =>
          isLogarithmic
            ? [Math.floor(min ?? -3), Math.max(Math.ceil(max ?? 0), Math.floor(min ?? -3) + 1)]
            : [0, Math.max(max ?? 0, 1) * 1.1],
      },
    },
    axes: [
      { ...axis, size: 28, values: (_plot, times) => times.map((time) => minuteText(time)) },
      {
        ...axis,
        size: 64,
        ...(isLogarithmic && { splits: (_plot, _axis, min, max) => wholeNumbers(min, max) }),
        values: (_plot, values) =>
          values.map((value) => text(isLogarithmic ? 10 ** value : value).replace(/ events/, "")),
      },
    ],
    series: [
      {},
      ...names.map((name, index) => ({
        label: name,
        stroke: colour(`series-${index % colours}`),
        width: 2,
        spanGaps: false,
        points: { show: false },
        ...(index >= colours && { dash: [6, 4] }),
      })),
    ],
  };
}

function minuteText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}

function wholeNumbers(from: number, to: number): number[] {
  return Array.from({ length: Math.floor(to - from) + 1 }, (_, index) => from + index);
}

/** The colours of a canvas do not change with the scheme by themselves. */
function useDarkScheme(): boolean {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = (): void => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [query]);
  return isDark;
}
