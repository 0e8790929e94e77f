/** Nanoseconds in each unit of a duration, the largest first. */
const UNITS: readonly (readonly [unit: string, ns: bigint])[] = [
  ["w", 604_800_000_000_000n],
  ["d", 86_400_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["m", 60_000_000_000n],
  ["s", 1_000_000_000n],
  ["ms", 1_000_000n],
  ["u", 1000n],
  ["ns", 1n],
];
const NS_OF = new Map([...UNITS, ["µ", 1000n] as const]);
const MOST = 2n ** 63n - 1n;

/** `1h30m` in nanoseconds; a string is what is wrong with it, in InfluxDB's words. */
export function durationOf(text: string): bigint | string {
  const isNegative = text.startsWith("-");
  const parts = /(\d+)(ns|ms|[uµmshdw])/y;
  let total = 0n;
  let last = "";
  parts.lastIndex = isNegative ? 1 : 0;
  do {
    const from = parts.lastIndex;
    const found = parts.exec(text);
    const [, digits, unit] = found ?? [];
    if (digits === undefined || unit === undefined || BigInt(digits) > MOST) return "invalid duration";
    // InfluxDB adds in 64 bits that wrap around, and complains of what ends up below zero.
    total = BigInt.asIntN(64, total + BigInt(digits) * (NS_OF.get(unit) ?? 0n));
    last = text.slice(from, parts.lastIndex).replace(/^0+(?=\d)/, "");
  } while (parts.lastIndex < text.length);
  if (total < 0n && !isNegative) return `overflowed duration ${last}: choose a smaller duration or INF`;
  return isNegative ? BigInt.asIntN(64, -total) : total;
}

/** The shortest text of a duration: a whole number of the largest unit that divides it. */
export function durationText(ns: bigint): string {
  if (ns === 0n) return "0s";
  const [unit, size] = UNITS.find(([, each]) => ns % each === 0n) ?? ["ns", 1n];
  return `${ns / size}${unit}`;
}
