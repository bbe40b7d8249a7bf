import type { ComponentChildren, JSX } from "preact";
import { printable } from "../src/errors/printable.ts";

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

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Such as `12.3 MiB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  const text = power === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3);
  return `${text} ${units[power]}`;
}

/** A whole number with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** Such as `1,234 events`. */
export function plural(count: number, unit: string): string {
  return `${countText(count)} ${unit}${count === 1 ? "" : "s"}`;
}

/** Such as `0.25 events/s`. */
export function rateText(perSecond: number): string {
  const digits = perSecond === 0 || perSecond >= 100 ? 0 : perSecond >= 10 ? 1 : 2;
  return `${perSecond.toLocaleString("en", { maximumFractionDigits: digits })} events/s`;
}

/** Such as `12 ms`, `3.5 s`, `2 h 5 min`. */
export function durationText(seconds: number): string {
  if (seconds < 0.001) return `${Math.max(0, Math.round(seconds * 1e6))} µs`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** Shows how long ago a time was, with the time itself. */
export function Ago(props: { readonly time: string; readonly now: string }): JSX.Element {
  const seconds = (Date.parse(props.now) - Date.parse(props.time)) / 1000;
  const text =
    seconds <= -1
      ? `in ${durationText(-seconds)}`
      : seconds < 1
        ? "less than 1 s ago"
        : `${durationText(seconds)} ago`;
  return (
    <time dateTime={props.time} title={utcText(props.time)}>
      {text}
    </time>
  );
}

/** Shows how long something has lasted, with the time at which it began. */
export function For(props: { readonly time: string; readonly now: string }): JSX.Element {
  const seconds = (Date.parse(props.now) - Date.parse(props.time)) / 1000;
  return (
    <time dateTime={props.time} title={`since ${utcText(props.time)}`}>
      {seconds < 1 ? "for less than 1 s" : `for ${durationText(seconds)}`}
    </time>
  );
}

/** Such as `2026-06-15 12:00:00.250 UTC`. */
export function utcText(time: string): string {
  return `${time.replace("T", " ").replace(/Z$/, "")} UTC`;
}
