import type { ComponentChildren, JSX } from "preact";
import { printable } from "../src/errors/printable.ts";
import { formatDuration } from "../src/units.ts";

/** A text of others, in one line: what a browser would act on instead of showing it is a middle dot. */
export function plainText(text: string): string {
  return printable(text).replaceAll(/[\t\n]/g, "·");
}

/** Shows a text of others; its direction ends with it. */
export function Text({ children }: { readonly children: string }): JSX.Element {
  return <bdi>{plainText(children)}</bdi>;
}

/** A figure with its unit, and its exact value for machines. */
export function Figure(props: {
  readonly value: number | string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <data value={String(props.value)}>{props.children}</data>;
}

/** A whole number with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** Such as `0.25 events/s`. */
export function rateText(perSecond: number): string {
  const digits = perSecond === 0 || perSecond >= 100 ? 0 : perSecond >= 10 ? 1 : 2;
  return `${perSecond.toLocaleString("en", { maximumFractionDigits: digits })} events/s`;
}

/** Shows how long ago a time was, with the time itself. */
export function Ago(props: { readonly time: string; readonly now: string }): JSX.Element {
  const ms = Date.parse(props.now) - Date.parse(props.time);
  const text =
    ms <= -1000
      ? `in ${formatDuration(-ms)}`
      : ms < 1000
        ? "less than 1 s ago"
        : `${formatDuration(ms)} ago`;
  return (
    <time dateTime={props.time} title={utcText(props.time)}>
      {text}
    </time>
  );
}

/** Shows how long something has lasted, with the time at which it began. */
export function For(props: { readonly time: string; readonly now: string }): JSX.Element {
  const ms = Date.parse(props.now) - Date.parse(props.time);
  return (
    <time dateTime={props.time} title={`since ${utcText(props.time)}`}>
      {ms < 1000 ? "for less than 1 s" : `for ${formatDuration(ms)}`}
    </time>
  );
}

/** Such as `2026-06-15 12:00:00.250 UTC`. */
export function utcText(time: string): string {
  return `${time.replace("T", " ").replace(/Z$/, "")} UTC`;
}
