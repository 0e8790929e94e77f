import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/**
 * Computes the tables beside this file from the public counts they name:
 * `node simulators/rates/compute.ts MELBOURNE.csv.gz EDINBURGH.csv`. The counts themselves are not part of the project.
 */
const [peopleFile, wasteFile] = process.argv.slice(2);
if (peopleFile === undefined || wasteFile === undefined) {
  process.stderr.write("usage: node simulators/rates/compute.ts MELBOURNE.csv.gz EDINBURGH.csv\n");
  process.exit(2);
}

const HOURS = 168;
const rows = (text: string): string[][] =>
  text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((field) => field[1] ?? field[2] ?? ""));
/** Hour of the week, Monday 0 h is 0, of a local time read as if it were UTC. */
const hourOfWeek = (at: Date): number => ((at.getUTCDay() + 6) % 7) * 24 + at.getUTCHours();
const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0;
/** Shares of the week in 1/100,000, as short a table as says the same. */
const shares = (weights: readonly number[]): number[] => {
  const total = weights.reduce((sum, each) => sum + each, 0);
  return weights.map((each) => Math.round((each / total) * 1e5));
};

const SENSORS = {
  shops: "Bourke Street Mall (North)",
  station: "Southern Cross Station",
  housing: "QV Market-Elizabeth St (West)",
  park: "Birrarung Marr",
};

function people(): Record<string, number[]> {
  const counts = new Map<string, number[][]>();
  for (const [sensor, date, hour, count] of rows(gunzipSync(readFileSync(peopleFile as string)).toString())) {
    const at = new Date(`${date}T${String(hour).padStart(2, "0")}:00:00Z`);
    const weeks = counts.get(sensor as string) ?? Array.from({ length: HOURS }, () => []);
    weeks[hourOfWeek(at)]?.push(Number(count));
    counts.set(sensor as string, weeks);
  }
  const tables: Record<string, number[]> = {};
  for (const [place, sensor] of Object.entries(SENSORS)) {
    // Festivals and holidays are not the usual week: the tenth at either end is left out of the mean.
    const trimmed = (counts.get(sensor) ?? []).map((values) => {
      const sorted = [...values].sort((a, b) => a - b);
      const cut = Math.floor(sorted.length / 10);
      return mean(sorted.slice(cut, sorted.length - cut));
    });
    tables[place] = shares(trimmed);
  }
  return tables;
}

const PLACES: readonly [string, RegExp][] = [
  ["school", /school|university|surgeons|library|college/i],
  ["park", /promenade|links|garden|calton hill|park|square next to/i],
  ["station", /haymarket|waver|bus station|tram stop|cathedral lane|leith street/i],
  [
    "shops",
    /princes st|rose st|george st|castle st|frederick|hanover|high street|grassmarket|victoria st|bridge|shandwick/i,
  ],
  ["housing", /./],
];

interface Interval {
  readonly site: string;
  readonly from: number;
  readonly to: number;
  readonly filled: number;
}

/** From one collection of a bin to its next: how long, and how much came in, as a share of the bin's volume. */
function intervals(): Map<string, Interval[]> {
  const last = new Map<string, { at: number; after: number }>();
  const byPlace = new Map<string, Interval[]>();
  const sorted = rows(readFileSync(wasteFile as string, "utf8")).sort((a, b) =>
    (a[3] as string) < (b[3] as string) ? -1 : 1,
  );
  for (const [site, name, , local, before, after] of sorted) {
    const at = Date.parse(`${local}Z`);
    const previous = last.get(site as string);
    last.set(site as string, { at, after: Number(after) });
    if (previous === undefined) continue;
    const hours = (at - previous.at) / 3_600_000;
    // The source calls a bin of 80 % of its volume full. A gap of over five days hides collections without a sensor.
    const filled = ((Number(before) - previous.after) / 100) * 0.8;
    if (hours < 4 || hours > 120 || filled <= 0) continue;
    const place = PLACES.find(([, pattern]) => pattern.test(name as string))?.[0] as string;
    byPlace.set(place, [...(byPlace.get(place) ?? []), { site: site as string, from: previous.at, to: at, filled }]);
  }
  return byPlace;
}

function hoursOf({ from, to }: Interval): number[] {
  const hours: number[] = [];
  for (let at = from; at < to; at += 3_600_000) hours.push(hourOfWeek(new Date(at)));
  return hours;
}

/**
 * The hours of the week at which a kind of place fills, by expectation and maximisation: each interval's filling is laid
 * on its hours in proportion to what they are believed to bring, and the belief follows. Collections come once a day or
 * less, so they say much of the days and little of the hours; the hours start from the footfall of such a place.
 */
function fillProfile(
  list: readonly Interval[],
  footfall: readonly number[],
): { table: number[]; rates: number[]; variation: number } {
  const bySite = Map.groupBy(list, ({ site }) => site);
  const siteRate = new Map(
    [...bySite].map(([site, own]) => [
      site,
      mean(own.map(({ filled }) => filled)) / mean(own.map((each) => hoursOf(each).length)),
    ]),
  );
  const level = mean(footfall);
  // Half of it follows the footfall; the rest comes at any hour, as kitchens and offices do.
  let weights = footfall.map((each) => 0.25 + (0.75 * each) / level);
  const laid = list.map((each) => ({ each, hours: hoursOf(each) }));
  for (let turn = 0; turn < 6; turn++) {
    const came = new Float64Array(HOURS);
    const expected = new Float64Array(HOURS);
    for (const { each, hours } of laid) {
      const rate = siteRate.get(each.site) as number;
      const total = hours.reduce((sum, hour) => sum + (weights[hour] as number), 0);
      for (const hour of hours) {
        came[hour] = (came[hour] as number) + (each.filled * (weights[hour] as number)) / total;
        expected[hour] = (expected[hour] as number) + rate;
      }
    }
    const next = weights.map((old, hour) =>
      (expected[hour] as number) > 0 ? (came[hour] as number) / (expected[hour] as number) : old,
    );
    const scale = mean(next);
    weights = next.map((each) => each / scale);
  }
  const ratios = laid.map(
    ({ each, hours }) =>
      each.filled /
      ((siteRate.get(each.site) as number) * hours.reduce((sum, hour) => sum + (weights[hour] as number), 0)),
  );
  const average = mean(ratios);
  const variation = Math.sqrt(mean(ratios.map((each) => (each - average) ** 2))) / average;
  return { table: shares(weights), rates: [...siteRate.values()], variation };
}

function literal(table: readonly number[]): string {
  const days = Array.from({ length: 7 }, (_, day) => `    ${table.slice(day * 24, day * 24 + 24).join(", ")},`);
  return `[\n    // prettier-ignore\n${days.join("\n")}\n  ]`;
}

const footfall = people();
writeFileSync(
  join(import.meta.dirname, "people.ts"),
  `/**
 * When people walk past, by the kind of place: shares of the week in 1/100,000 for each of its 168 local hours, Monday
 * first. Computed by compute.ts from hourly pedestrian counts of four places in Melbourne, 2015 and 2016: City of Melbourne
 * open data (pedestrian counting system), CC BY 4.0, as the R package tsibble carries them. The tenth of the busiest and
 * of the quietest weeks of each hour is left out.
 */
export const FOOTFALL = {
${Object.entries(footfall)
  .map(([place, table]) => `  /** ${SENSORS[place as keyof typeof SENSORS]} */\n  ${place}: ${literal(table)},`)
  .join("\n")}
} as const satisfies Record<string, readonly number[]>;
`,
);

const start: Record<string, string> = {
  shops: "shops",
  station: "station",
  park: "park",
  housing: "housing",
  school: "housing",
};
const filling = [...intervals()]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([place, list]) => {
    const { table, rates, variation } = fillProfile(list, footfall[start[place] as string] as number[]);
    const q = (share: number): string => (quantile(rates, share) * 24).toFixed(3);
    return `  /** ${list.length} intervals of ${rates.length} bins. */
  ${place}: {
    perDay: [${q(0.1)}, ${q(0.5)}, ${q(0.9)}],
    variation: ${variation.toFixed(2)},
    week: ${literal(table).replaceAll("\n", "\n  ")},
  },`;
  });
writeFileSync(
  join(import.meta.dirname, "waste.ts"),
  `/**
 * How litter bins fill, by the kind of place: \`perDay\` the share of its volume that a bin fills in a mean day (10 %, 50 %
 * and 90 % quantile over bins), \`variation\` the coefficient of variation of one interval around what was to be expected,
 * \`week\` shares of the week in 1/100,000 by local hour, Monday first. Computed by compute.ts from 10,000 collections of 334
 * bins with level sensors in Edinburgh, June to August 2016: City of Edinburgh Council, "Litter bin sensor data", Open
 * Government Licence v3.0. Collections come about once a day, so the hours within a day lean on the footfall of such places.
 */
export const FILLING = {
${filling.join("\n")}
} as const;
`,
);
