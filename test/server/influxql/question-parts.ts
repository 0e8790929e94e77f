import fc from "fast-check";

/** Minutes from the start of what is written to its end, in one shard of InfluxDB. */
export const SPAN_MIN = 5 * 24 * 60;
export const MINUTE_NS = 60_000_000_000n;

export const oneOf = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);
export const sometimes = (text: fc.Arbitrary<string>, weight = 1): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight, arbitrary: text });

export interface Measurement {
  readonly name: string;
  readonly floats: readonly string[];
  readonly integers: readonly string[];
  readonly tags: readonly string[];
  readonly others: readonly string[];
}
export const LAMP: Measurement = {
  name: "lamp",
  floats: ["level", "power_W"],
  integers: ["starts"],
  tags: ["device", "street", "zone"],
  others: ["lit", "state"],
};
export const BIN: Measurement = {
  name: "bin",
  floats: ["fill"],
  integers: ["weight"],
  tags: ["device", "stream"],
  others: [],
};

export const numeric = ({ floats, integers }: Measurement): fc.Arbitrary<string> => oneOf(...floats, ...integers);
export const anyField = (m: Measurement): fc.Arbitrary<string> => oneOf(...m.floats, ...m.integers, ...m.others);

export const AGGREGATES = [
  "mean",
  "median",
  "sum",
  "count",
  "min",
  "max",
  "first",
  "last",
  "spread",
  "stddev",
] as const;
export const SELECTORS = ["min", "max", "first", "last"] as const;

export function aggregate(m: Measurement): fc.Arbitrary<string> {
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

export const transformation = (inner: string): fc.Arbitrary<string> =>
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

export const arithmetic = (a: string, b: string): fc.Arbitrary<string> =>
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
export function condition(m: Measurement): fc.Arbitrary<string> {
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

export interface Span {
  readonly text: string;
}

export function span(start_ns: bigint, isRequired: boolean): fc.Arbitrary<Span> {
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

export const where = (...parts: readonly string[]): string => {
  const said = parts.filter((each) => each !== "");
  return said.length === 0
    ? ""
    : ` WHERE ${said.map((each) => (said.length > 1 && / OR /.test(each) ? `(${each})` : each)).join(" AND ")}`;
};

export const tagsOf = (m: Measurement): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.subarray([...m.tags], { minLength: 1, maxLength: 2 }).map((tags) => tags.join(", ")) },
    { weight: 1, arbitrary: oneOf("*", "/^s/", "missing", "zone, device") },
  );

export const every = oneOf("1h", "7h", "1d", "30m", "1h, 10m", "6h, -90m", "1d, 5h");
export const fill = oneOf(
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
export const zone = oneOf(" tz('Europe/Paris')", " tz('America/New_York')", " tz('UTC')");

export const tail = (isLimited = true): fc.Arbitrary<string> =>
  fc
    .tuple(
      sometimes(fc.constant(" ORDER BY time DESC")),
      isLimited ? sometimes(fc.integer({ min: 1, max: 9 }).map((rows) => ` LIMIT ${rows}`)) : fc.constant(""),
      sometimes(fc.integer({ min: 1, max: 5 }).map((rows) => ` OFFSET ${rows}`)),
    )
    // Without a LIMIT, InfluxDB's OFFSET takes as many rows as it should leave out.
    .map(([order, limit, offset]) => `${order}${limit}${limit === "" ? "" : offset}`);
export const seriesLimit = sometimes(
  fc
    .tuple(
      fc.integer({ min: 1, max: 3 }).map((rows) => ` SLIMIT ${rows}`),
      sometimes(fc.integer({ min: 1, max: 2 }).map((rows) => ` SOFFSET ${rows}`)),
    )
    .map((parts) => parts.join("")),
);
export const alias = sometimes(oneOf(" AS a", ' AS "the value"'));
