import fc from "fast-check";
import {
  aggregate,
  alias,
  anyField,
  arithmetic,
  BIN,
  condition,
  every,
  fill,
  LAMP,
  type Measurement,
  MINUTE_NS,
  numeric,
  oneOf,
  SELECTORS,
  seriesLimit,
  sometimes,
  span,
  SPAN_MIN,
  tagsOf,
  tail,
  transformation,
  where,
  zone,
} from "./question-parts.ts";
import { nested } from "./nested-questions.ts";

export interface World {
  /** Nanoseconds since 1970. */
  readonly start_ns: bigint;
  /** Line protocol. */
  readonly body: string;
}

const DEVICES = [
  { device: "L1", street: "rue haute", zone: "north" },
  { device: "L2", street: "rue haute", zone: "south" },
  { device: "L3", street: "quai", zone: "south" },
  { device: "L4", street: "quai" },
] as const;
const BINS = [
  { device: "B1", stream: "glass" },
  { device: "B2", stream: "paper" },
] as const;

/**
 * Points of six devices with values of every type, at times that no two series share: what InfluxDB makes of two series at
 * one time depends on the order in which its own threads come.
 */
export function world(start_ns: bigint): fc.Arbitrary<World> {
  const tenth = fc.integer({ min: -300, max: 300 }).map((value) => value / 10);
  const small = fc.integer({ min: -20, max: 20 });
  const lamp = fc.record(
    {
      level: tenth.map(String),
      power_W: fc.integer({ min: 0, max: 6 }).map((value) => String(value * 12.5)),
      starts: small.map((value) => `${value}i`),
      lit: fc.boolean().map(String),
      state: fc.constantFrom("ok", "dim", "fault 3", "").map((text) => `"${text}"`),
    },
    { requiredKeys: [] },
  );
  const bin = fc.record({ fill: tenth.map(String), weight: small.map((value) => `${value}i`) }, { requiredKeys: [] });
  const minutes = fc.uniqueArray(fc.integer({ min: 0, max: SPAN_MIN }), { minLength: 4, maxLength: 40 });
  const seriesOf = (
    name: string,
    index: number,
    tags: object,
    fields: fc.Arbitrary<Record<string, string | undefined>>,
  ): fc.Arbitrary<string[]> =>
    minutes.chain((times) =>
      fc.array(fields, { minLength: times.length, maxLength: times.length }).map((rows) =>
        rows.flatMap((row, at) => {
          const values = Object.entries(row).filter(([, value]) => value !== undefined);
          if (values.length === 0) return [];
          const key = Object.entries(tags).map(([tag, value]) => `,${tag}=${String(value).replaceAll(" ", "\\ ")}`);
          const time_ns = start_ns + BigInt(times[at] ?? 0) * MINUTE_NS + BigInt(index) * 1_000_000_000n;
          return [`${name}${key.join("")} ${values.map(([field, value]) => `${field}=${value}`).join(",")} ${time_ns}`];
        }),
      ),
    );
  return fc
    .tuple(
      ...DEVICES.map((tags, index) => seriesOf("lamp", index, tags, lamp)),
      ...BINS.map((tags, index) => seriesOf("bin", index + DEVICES.length, tags, bin)),
    )
    .map((all) => ({ start_ns, body: all.flat().join("\n") }));
}

/** Aggregates over windows of time, by tags. */
function overTime(m: Measurement, start_ns: bigint): fc.Arbitrary<string> {
  const call = fc.oneof(
    { weight: 4, arbitrary: aggregate(m) },
    { weight: 2, arbitrary: aggregate(m).chain(transformation) },
    { weight: 1, arbitrary: fc.tuple(aggregate(m), aggregate(m)).chain(([a, b]) => arithmetic(a, b)) },
    { weight: 2, arbitrary: numeric(m).map((field) => `integral(${field}, 1h)`) },
  );
  const columns = fc.array(
    fc.tuple(call, alias).map((parts) => parts.join("")),
    { minLength: 1, maxLength: 3 },
  );
  return fc
    .tuple(
      columns,
      span(start_ns, true),
      sometimes(condition(m)),
      every,
      sometimes(tagsOf(m), 3),
      fill,
      tail(),
      seriesLimit,
      sometimes(zone),
    )
    .map(([all, { text }, filter, step, tags, filling, rest, slimit, zone_]) => {
      // About a change of the clock, InfluxDB has two windows at one time where they begin at an offset.
      const tz = step.includes(",") ? "" : zone_;
      const order = all.some((each) => each.startsWith("integral")) ? rest.replace(" ORDER BY time DESC", "") : rest;
      // Of several groups, InfluxDB gives the last window of each integral after all others.
      const isTagged = tags !== "" && !all.some((each) => each.startsWith("integral"));
      const by = [`time(${step})`, ...(isTagged ? [tags] : [])].join(", ");
      return `SELECT ${all.join(", ")} FROM ${m.name}${where(text, filter)} GROUP BY ${by}${filling}${order}${slimit}${tz}`;
    });
}

/** Aggregates over all, and selectors with what stands beside them. */
function overAll(m: Measurement, start_ns: bigint): fc.Arbitrary<string> {
  const columns = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(
        fc.tuple(aggregate(m), alias).map((parts) => parts.join("")),
        { minLength: 1, maxLength: 3 },
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(aggregate(m), aggregate(m))
        .chain(([a, b]) => arithmetic(a, b))
        .map((each) => [each]),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          oneOf(...SELECTORS),
          oneOf(...m.floats),
          fc.array(fc.oneof(anyField(m), oneOf(...m.tags)), { minLength: 1, maxLength: 2 }),
        )
        .map(([name, field, beside]) => [`${name}(${field})`, ...beside]),
    },
    { weight: 1, arbitrary: numeric(m).map((field) => [`distinct(${field})`]) },
    {
      weight: 1,
      arbitrary: oneOf("mean(*)", "count(*)", "max(/e/)", "last(*)", "first(/l/), last(/l/)").map((each) => [each]),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          oneOf("top", "bottom"),
          oneOf(...m.floats),
          sometimes(fc.constant(", device")),
          fc.integer({ min: 1, max: 5 }),
        )
        .map(([name, field, tag, count]) => [`${name}(${field}${tag}, ${count})`]),
    },
    { weight: 2, arbitrary: numeric(m).map((field) => [`integral(${field})`]) },
  );
  return fc
    .tuple(columns, span(start_ns, false), sometimes(condition(m)), sometimes(tagsOf(m), 3), tail(), seriesLimit)
    .map(([columns_, { text }, filter, tags, rest, slimit]) => {
      let all: readonly string[] = columns_;
      const [first = ""] = all;
      // Of values that are equal, InfluxDB takes any beyond the twelfth: its sorting does not keep their order.
      if (all.every((each) => /percentile/.test(each))) all = [first, `count(${m.floats[0]})`];
      let order = first.startsWith("integral") ? rest.replace(" ORDER BY time DESC", "") : rest;
      // A LIMIT below the number that top is asked for is refused.
      if (/^(top|bottom)/.test(first)) order = order.replace(/ LIMIT.*/, "");
      const isTagged = tags !== "" && !first.startsWith("integral");
      return `SELECT ${all.join(", ")} FROM ${m.name}${where(text, filter)}${isTagged ? ` GROUP BY ${tags}` : ""}${order}${slimit}`;
    });
}

/** Rows as they are stored, and functions from one to the next. */
function raw(m: Measurement, start_ns: bigint): fc.Arbitrary<string> {
  const columns = fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .array(fc.oneof(anyField(m), oneOf(...m.tags)), { minLength: 1, maxLength: 3 })
        .map((all) => [...new Set(all)]),
    },
    {
      weight: 1,
      arbitrary: oneOf("*", "/e/", "*::field", "missing", "level::field, device::tag", "time AS t, *").map((each) => [
        each,
      ]),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(numeric(m), numeric(m))
        .chain(([a, b]) => arithmetic(a, b))
        .map((each) => [each]),
    },
    {
      weight: 2,
      arbitrary: numeric(m)
        .chain(transformation)
        .map((each) => [each]),
    },
  );
  return fc
    .tuple(
      columns,
      span(start_ns, false),
      sometimes(condition(m)),
      sometimes(tagsOf(m), 2),
      sometimes(oneOf(" fill(previous)", " fill(0)")),
      tail(),
      seriesLimit,
    )
    .map(
      ([all, { text }, filter, tags, filling, rest, slimit]) =>
        `SELECT ${all.join(", ")} FROM ${m.name}${where(text, filter)}${tags === "" ? "" : ` GROUP BY ${tags}${filling}`}${rest}${slimit}`,
    );
}

/** Several measurements at once, by name and by regular expression. */
function ofSeveral(start_ns: bigint): fc.Arbitrary<string> {
  const from = oneOf("lamp, bin", "/lamp|bin/", "/^l/", "/./", "bin, lamp");
  const columns = oneOf(
    "mean(level), mean(fill)",
    "count(*)",
    "max(level)",
    "first(fill), last(level)",
    "mode(weight)",
    "sum(starts) + sum(weight)",
    "derivative(mean(level), 1h)",
    "median(/^[fl]/)",
    "count(distinct(weight))",
  );
  const grouped = fc
    .tuple(columns, from, span(start_ns, true), sometimes(oneOf("*", "device", "zone")), fill, tail())
    .map(
      ([column, sources, { text }, tags, filling, rest]) =>
        `SELECT ${column} FROM ${sources}${where(text)} GROUP BY time(7h)${tags === "" ? ", device" : `, ${tags}`}${filling}${rest}`,
    );
  const rows = fc
    .tuple(
      oneOf("*", "level, fill", "device, weight", "/e/"),
      from,
      span(start_ns, false),
      sometimes(oneOf("*", "device")),
      tail(),
    )
    .map(
      ([column, sources, { text }, tags, rest]) =>
        `SELECT ${column} FROM ${sources}${where(text)}${tags === "" ? "" : ` GROUP BY ${tags}`}${rest}`,
    );
  return fc.oneof(grouped, rows);
}

/** Questions of every kind about a world. */
export function question(start_ns: bigint): fc.Arbitrary<string> {
  const of = (m: Measurement): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 4, arbitrary: overTime(m, start_ns) },
      { weight: 3, arbitrary: overAll(m, start_ns) },
      { weight: 3, arbitrary: raw(m, start_ns) },
      { weight: 6, arbitrary: nested(m, start_ns) },
    );
  return fc.oneof(
    { weight: 12, arbitrary: of(LAMP) },
    { weight: 4, arbitrary: of(BIN) },
    { weight: 1, arbitrary: ofSeveral(start_ns) },
  );
}
