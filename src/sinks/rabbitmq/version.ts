/** The first number of a broker's version, such as 4 of `4.0.5`; `undefined` if it has none. */
export function majorVersion(version: string): number | undefined {
  const number = Number.parseInt(version, 10);
  return Number.isNaN(number) ? undefined : number;
}
