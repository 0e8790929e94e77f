/** The steps that Grafana rounds an interval to: below each limit, this many milliseconds. */
const STEPS: readonly (readonly [below: number, is: number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1500, 1000],
  [3500, 2000],
  [7500, 5000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];

/** The interval of a panel: the time over its width in points, rounded, and at least what the panel asks for. */
export function intervalOf(range_ms: number, points: number, least_ms: number): number {
  const wanted = range_ms / points;
  const rounded = STEPS.find(([below]) => wanted < below)?.[1] ?? 31_536_000_000;
  return Math.max(rounded, least_ms);
}

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ["y", 31_536_000_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** As Grafana's backend writes an interval: whole units of the largest that fits. */
export function intervalText(interval_ms: number): string {
  for (const [name, ms] of UNITS) if (interval_ms >= ms) return `${Math.floor(interval_ms / ms)}${name}`;
  return "1ms";
}

/** `15m`, `>1h` as milliseconds; 0 for none. */
export function parsedInterval(text: string | undefined): number {
  const match = /^>?(\d+)(ms|[smhdwy])$/.exec(text ?? "");
  if (match === null) return 0;
  const unit = UNITS.find(([name]) => name === match[2])?.[1] ?? 604_800_000;
  return Number(match[1]) * unit;
}

/** `now-24h`, `now/d`, `now+2d` at `now`; days begin at midnight of an offset to UTC. */
export function parsedTime(text: string, now: number, offset_ms: number): number {
  const match = /^now(?:([+-])(\d+[smhdwy]))?(\/d)?$/.exec(text);
  if (match === null) throw new Error(`${text} is no time of a dashboard that is known here`);
  const [, sign, span, day] = match;
  const at = now + (sign === "-" ? -1 : 1) * parsedInterval(span);
  if (day === undefined) return at;
  return Math.floor((at + offset_ms) / 86_400_000) * 86_400_000 - offset_ms;
}
