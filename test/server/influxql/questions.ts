import fc from "fast-check";

/** Minutes from the start of what is written to its end, in one shard of InfluxDB. */
const SPAN_MIN = 5 * 24 * 60;

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
const MINUTE_NS = 60_000_000_000n;

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

const oneOf = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);
const sometimes = (text: fc.Arbitrary<string>, weight = 1): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight, arbitrary: text });

interface Measurement {
  readonly name: string;
  readonly floats: readonly string[];
  readonly integers: readonly string[];
  readonly tags: readonly string[];
  readonly others: readonly string[];
}
const LAMP: Measurement = {
  name: "lamp",
  floats: ["level", "power_W"],
  integers: ["starts"],
  tags: ["device", "street", "zone"],
  others: ["lit", "state"],
};
const BIN: Measurement = {
  name: "bin",
  floats: ["fill"],
  integers: ["weight"],
  tags: ["device", "stream"],
  others: [],
};

const numeric = ({ floats, integers }: Measurement): fc.Arbitrary<string> => oneOf(...floats, ...integers);
const anyField = (m: Measurement): fc.Arbitrary<string> => oneOf(...m.floats, ...m.integers, ...m.others);

const AGGREGATES = ["mean", "median", "sum", "count", "min", "max", "first", "last", "spread", "stddev"] as const;
const SELECTORS = ["min", "max", "first", "last"] as const;

function aggregate(m: Measurement): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(oneOf(...AGGREGATES), numeric(m)).map(([name, field]) => `${name}(${field})`) },
    {
      weight: 1,
      arbitrary: fc.tuple(oneOf("count", "first", "last"), anyField(m)).map(([name, field]) => `${name}(${field})`),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(numeric(m), oneOf("50", "66.7", "90", "99.9", "100"))
        .map(([field, percent]) => `percentile(${field}, ${percent})`),
    },
    { weight: 1, arbitrary: numeric(m).map((field) => `count(distinct(${field}))`) },
  );
}

const transformation = (inner: string): fc.Arbitrary<string> =>
  oneOf(
    `derivative(${inner})`,
    `derivative(${inner}, 1h)`,
    `non_negative_derivative(${inner}, 10m)`,
    `difference(${inner})`,
    `non_negative_difference(${inner})`,
    `cumulative_sum(${inner})`,
    `moving_average(${inner}, 2)`,
    `moving_average(${inner}, 4)`,
    `elapsed(${inner}, 1m)`,
  );

const arithmetic = (a: string, b: string): fc.Arbitrary<string> =>
  oneOf(
    `${a} + ${b}`,
    `${a} * 2`,
    `${a} / ${b}`,
    `(${a} - ${b}) / 3`,
    `100 - ${a}`,
    `abs(${a})`,
    `${a} % 7`,
    `floor(${a} / 2)`,
  );

/** WHERE without time: on tags, fields, regular expressions. */
function condition(m: Measurement): fc.Arbitrary<string> {
  const [float = ""] = m.floats;
  const [integer = ""] = m.integers;
  const simple = oneOf(
    "device = 'L1'",
    "device != 'L2'",
    "device =~ /L[13]/",
    "device !~ /B1|L2/",
    "zone = 'south'",
    "zone = ''",
    "zone != ''",
    "street =~ /^rue/",
    "stream = 'glass'",
    "missing = 'x'",
    "missing != 'x'",
    `${float} > 0`,
    `${float} <= 10.5`,
    `${integer} >= 0`,
    `${integer} != 3`,
    `${float} * 2 > ${integer}`,
    ...(m === LAMP
      ? ["lit = true", "lit != true", "state = 'ok'", "state != 'ok'", "state =~ /fau/", "power_W > 20"]
      : []),
  );
  return fc.oneof(
    { weight: 3, arbitrary: simple },
    { weight: 1, arbitrary: fc.tuple(simple, oneOf("AND", "OR"), simple).map((parts) => `(${parts.join(" ")})`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(simple, simple, simple, oneOf("AND", "OR"))
        .map(([a, b, c, word]) => `${a} ${word} (${b} OR ${c})`),
    },
  );
}

interface Span {
  readonly text: string;
}

function span(start_ns: bigint, isRequired: boolean): fc.Arbitrary<Span> {
  const moment = fc.integer({ min: -60, max: SPAN_MIN + 60 });
  const literal = (minute: number): fc.Arbitrary<string> => {
    const ns = start_ns + BigInt(minute) * MINUTE_NS;
    return oneOf(String(ns), `${ns / 1_000_000n}ms`, `'${new Date(Number(ns / 1_000_000n)).toISOString()}'`);
  };
  const bounded = fc
    .tuple(moment, fc.integer({ min: 10, max: SPAN_MIN }))
    .chain(([from, length]) => fc.tuple(literal(from), literal(from + length), oneOf(">=", ">"), oneOf("<", "<=")))
    .map(([from, to, a, b]) => ({ text: `time ${a} ${from} AND time ${b} ${to}` }));
  if (isRequired) return bounded;
  const half = moment
    .chain((at) => fc.tuple(literal(at), oneOf(">=", "<", ">", "<=")))
    .map(([at, sign]) => ({ text: `time ${sign} ${at}` }));
  return fc.oneof(
    { weight: 2, arbitrary: bounded },
    { weight: 1, arbitrary: half },
    { weight: 2, arbitrary: fc.constant({ text: "" }) },
  );
}

const where = (...parts: readonly string[]): string => {
  const said = parts.filter((each) => each !== "");
  return said.length === 0
    ? ""
    : ` WHERE ${said.map((each) => (said.length > 1 && / OR /.test(each) ? `(${each})` : each)).join(" AND ")}`;
};

const tagsOf = (m: Measurement): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.subarray([...m.tags], { minLength: 1, maxLength: 2 }).map((tags) => tags.join(", ")) },
    { weight: 1, arbitrary: oneOf("*", "/^s/", "missing", "zone, device") },
  );

const every = oneOf("1h", "7h", "1d", "30m", "1h, 10m", "6h, -90m", "1d, 5h");
const fill = oneOf(
  "",
  "",
  " fill(none)",
  " fill(null)",
  " fill(previous)",
  " fill(linear)",
  " fill(0)",
  " fill(7.5)",
  " fill(-3)",
);
const zone = oneOf(" tz('Europe/Paris')", " tz('America/New_York')", " tz('UTC')");

const tail = (isLimited = true): fc.Arbitrary<string> =>
  fc
    .tuple(
      sometimes(fc.constant(" ORDER BY time DESC")),
      isLimited ? sometimes(fc.integer({ min: 1, max: 9 }).map((rows) => ` LIMIT ${rows}`)) : fc.constant(""),
      sometimes(fc.integer({ min: 1, max: 5 }).map((rows) => ` OFFSET ${rows}`)),
    )
    // Without a LIMIT, InfluxDB's OFFSET takes as many rows as it should leave out.
    .map(([order, limit, offset]) => `${order}${limit}${limit === "" ? "" : offset}`);
const seriesLimit = sometimes(
  fc
    .tuple(
      fc.integer({ min: 1, max: 3 }).map((rows) => ` SLIMIT ${rows}`),
      sometimes(fc.integer({ min: 1, max: 2 }).map((rows) => ` SOFFSET ${rows}`)),
    )
    .map((parts) => parts.join("")),
);
const alias = sometimes(oneOf(" AS a", ' AS "the value"'));

/** Aggregates over windows of time, by tags. */
function overTime(m: Measurement, start_ns: bigint): fc.Arbitrary<string> {
  const call = fc.oneof(
    { weight: 4, arbitrary: aggregate(m) },
    { weight: 2, arbitrary: aggregate(m).chain(transformation) },
    { weight: 1, arbitrary: fc.tuple(aggregate(m), aggregate(m)).chain(([a, b]) => arithmetic(a, b)) },
    { weight: 1, arbitrary: oneOf(...m.floats).map((field) => `integral(${field}, 1h)`) },
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
    { weight: 1, arbitrary: oneOf(...m.floats).map((field) => [`integral(${field})`]) },
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

/** A SELECT over another. */
function nested(m: Measurement, start_ns: bigint): fc.Arbitrary<string> {
  const inner = fc
    .tuple(
      aggregate(m),
      every,
      sometimes(tagsOf(m), 3),
      sometimes(condition(m)),
      sometimes(oneOf(" fill(none)", " fill(0)")),
    )
    .map(([call, step, tags, filter, filling]) => ({
      text: `SELECT ${call} AS v FROM ${m.name}${where(filter)} GROUP BY time(${step})${tags === "" ? "" : `, ${tags}`}`,
      tags,
      // Where more tags are kept than are grouped by around it, InfluxDB fills between the tags.
      filling: tags === "" ? filling : "",
    }));
  const rawInner = fc.tuple(numeric(m), numeric(m), sometimes(condition(m))).map(([a, b, filter]) => ({
    text: `SELECT ${a} + ${b} AS v FROM ${m.name}${where(filter)}`,
    tags: "",
    filling: "",
  }));
  const outer = oneOf(
    "mean(v)",
    "sum(v)",
    "max(v)",
    "min(v)",
    "count(v)",
    "last(v)",
    "first(v)",
    "spread(v)",
    "v",
    "v * 2",
    "count(v), last(v)",
  );
  return fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: inner }, { weight: 1, arbitrary: rawInner }),
      outer,
      span(start_ns, true),
      sometimes(oneOf("v > 0", "v <= 5")),
      fc.boolean(),
      sometimes(every),
    )
    .map(([{ text, tags, filling }, columns, { text: times }, filter, isByTags, step]) => {
      const isAggregate = columns.includes("(");
      const by = [...(step !== "" && isAggregate ? [`time(${step})`] : []), ...(isByTags && tags !== "" ? [tags] : [])];
      // Over all time at once, InfluxDB gives nothing if the first window begins before the span.
      const bounds =
        isAggregate && step === ""
          ? `time >= ${start_ns - 2880n * MINUTE_NS} AND time < ${start_ns + BigInt(SPAN_MIN) * MINUTE_NS}`
          : times;
      // And it fills from there.
      const inner = isAggregate && step === "" ? text : text + filling;
      return `SELECT ${columns} FROM (${inner})${where(bounds, filter)}${by.length > 0 ? ` GROUP BY ${by.join(", ")}` : ""}`;
    });
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
      { weight: 2, arbitrary: nested(m, start_ns) },
    );
  return fc.oneof(
    { weight: 12, arbitrary: of(LAMP) },
    { weight: 4, arbitrary: of(BIN) },
    { weight: 1, arbitrary: ofSeveral(start_ns) },
  );
}
