import fc from "fast-check";
import {
  aggregate,
  alias,
  arithmetic,
  condition,
  every,
  type Measurement,
  MINUTE_NS,
  numeric,
  oneOf,
  sometimes,
  span,
  SPAN_MIN,
  tagsOf,
  transformation,
  where,
  zone,
} from "./question-parts.ts";

/** A SELECT that gives a column `v`, or more of them, and what may be asked around it. */
interface Inner {
  readonly text: string;
  /** Tags that it groups by, as they are written. */
  readonly tags: string;
  /** Further columns that are numbers. */
  readonly columns: readonly string[];
  readonly isInWindows: boolean;
  /** Nothing around it may keep fewer tags. */
  readonly isFlatOnly?: true;
  /** Several points that stand by their own times: what wants them in order may not keep fewer tags. */
  readonly isByTime?: true;
}

const by = (...dimensions: readonly string[]): string => {
  const said = dimensions.filter((each) => each !== "");
  return said.length === 0 ? "" : ` GROUP BY ${said.join(", ")}`;
};

const someTags = (m: Measurement): fc.Arbitrary<string> =>
  sometimes(
    fc.subarray([...m.tags], { minLength: 1, maxLength: 2 }).map((tags) => tags.join(", ")),
    4,
  );

/** One aggregate, with a fill of its own where nothing lies between its groups. */
function ofOne(m: Measurement): fc.Arbitrary<Inner> {
  return fc
    .tuple(
      aggregate(m),
      every,
      sometimes(tagsOf(m), 3),
      sometimes(condition(m)),
      sometimes(oneOf(" fill(none)", " fill(0)")),
      sometimes(zone),
    )
    .map(([call, step, tags, filter, filling, zone_]) => ({
      text: `SELECT ${call} AS v FROM ${m.name}${where(filter)}${by(`time(${step})`, tags)}${tags === "" ? filling : ""}${step.includes(",") ? "" : zone_}`,
      tags,
      columns: [],
      isInWindows: true,
    }));
}

/** Several aggregates with arithmetic between them. */
function ofSeveral(m: Measurement): fc.Arbitrary<Inner> {
  const columns = fc.oneof(
    fc.tuple(aggregate(m), aggregate(m)).chain(([a, b]) => arithmetic(a, b).map((sum) => `${sum} AS v`)),
    fc.tuple(aggregate(m), aggregate(m)).map(([a, b]) => `${a} AS v, ${b} AS w`),
    numeric(m).map((field) => `sum(${field}) / count(${field}) AS v, max(${field}) - min(${field}) AS w`),
  );
  return fc
    .tuple(columns, every, someTags(m), sometimes(condition(m)), sometimes(fc.constant(" fill(none)")))
    .map(([text, step, tags, filter, filling]) => ({
      text: `SELECT ${text} FROM ${m.name}${where(filter)}${by(`time(${step})`, tags)}${filling}`,
      tags,
      columns: text.includes(" AS w") ? ["w"] : [],
      isInWindows: true,
      // In InfluxDB the points of these stand in another order than those that they belong to; those of the others, too, but
      // only who takes points in order sees it.
      ...(/percentile|median/.test(text) && { isFlatOnly: true as const }),
      isByTime: true as const,
    }));
}

/** What goes from one window to the next. */
function transformed(m: Measurement): fc.Arbitrary<Inner> {
  const call = fc.oneof(
    numeric(m).chain((field) =>
      oneOf(
        `non_negative_difference(last(${field}))`,
        `difference(last(${field}))`,
        `derivative(last(${field}), 1h)`,
        `non_negative_derivative(max(${field}))`,
      ),
    ),
    aggregate(m).chain(transformation),
  );
  return fc
    .tuple(call, oneOf("1h", "7h", "1d", "30m"), someTags(m), sometimes(condition(m)), sometimes(zone))
    .map(([text, step, tags, filter, zone_]) => ({
      text: `SELECT ${text} AS v FROM ${m.name}${where(filter)}${by(`time(${step})`, tags)}${zone_}`,
      tags,
      columns: [],
      isInWindows: true,
    }));
}

/** Rows as they are stored, and arithmetic on them. */
function rows(m: Measurement): fc.Arbitrary<Inner> {
  const columns = fc.oneof(
    numeric(m).map((field) => `${field} AS v`),
    fc.tuple(numeric(m), numeric(m)).chain(([a, b]) => arithmetic(a, b).map((sum) => `${sum} AS v`)),
    fc.tuple(numeric(m), numeric(m)).map(([a, b]) => `${a} * 2 AS v, ${b} AS w`),
    numeric(m)
      .chain(transformation)
      .map((text) => `${text} AS v`),
  );
  return fc.tuple(columns, someTags(m), sometimes(condition(m))).map(([text, tags, filter]) => ({
    text: `SELECT ${text} FROM ${m.name}${where(filter)}${by(tags)}`,
    tags,
    columns: text.includes(" AS w") ? ["w"] : [],
    isInWindows: false,
  }));
}

/** A point or a few of each group, at their own times. */
function picked(m: Measurement): fc.Arbitrary<Inner> {
  const columns = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(oneOf("first", "last", "max", "min"), numeric(m)).map(([f, x]) => `${f}(${x})`) },
    { weight: 1, arbitrary: aggregate(m).filter((call) => !call.startsWith("percentile")) },
    { weight: 1, arbitrary: numeric(m).map((field) => `distinct(${field})`) },
    { weight: 1, arbitrary: fc.tuple(oneOf("top", "bottom"), numeric(m)).map(([f, x]) => `${f}(${x}, 3)`) },
  );
  return fc.tuple(columns, someTags(m), sometimes(condition(m))).map(([text, tags, filter]) => ({
    text: `SELECT ${text} AS v FROM ${m.name}${where(filter)}${by(tags)}`,
    tags,
    columns: [],
    isInWindows: false,
  }));
}

/** Areas in windows, of one group: where InfluxDB puts the last of each of several is not fixed. */
const areas = (m: Measurement): fc.Arbitrary<Inner> =>
  fc.tuple(numeric(m), oneOf("1h", "7h", "1d"), sometimes(condition(m))).map(([field, step, filter]) => ({
    text: `SELECT integral(${field}, 1h) AS v FROM ${m.name}${where(filter)}${by(`time(${step})`)}`,
    tags: "",
    columns: [],
    isInWindows: true,
  }));

const innermost = (m: Measurement): fc.Arbitrary<Inner> =>
  fc.oneof(
    { weight: 3, arbitrary: ofOne(m) },
    { weight: 3, arbitrary: ofSeveral(m) },
    { weight: 4, arbitrary: transformed(m) },
    { weight: 3, arbitrary: rows(m) },
    { weight: 2, arbitrary: picked(m) },
    { weight: 1, arbitrary: areas(m) },
  );

/** One more between the innermost and the outermost. */
function between(innermost_: Inner): fc.Arbitrary<Inner> {
  // InfluxDB fills from before what is read.
  const inner = { ...innermost_, text: innermost_.text.replace(" fill(0)", "") };
  const tags = keptTags(inner);
  const raw = oneOf("v * 2 AS v", "v + 1 AS v, v AS w").map((text) => ({
    ...inner,
    text: `SELECT ${text} FROM (${inner.text})${by(inner.tags)}`,
    columns: text.includes(" AS w") ? ["w"] : [],
  }));
  const reduced = fc
    .tuple(
      oneOf("sum", "mean", "max", "last", "count"),
      oneOf("1h", "7h", "1d"),
      tags,
      sometimes(oneOf("v > 0", "v < 9")),
    )
    .chain(([name, step, kept, filter]) =>
      oneOf(`${name}(v)`, `${name}(v) * 2`, `difference(${name}(v))`).map((call): Inner => ({
        text: `SELECT ${call} AS v FROM (${inner.text})${where(filter)}${by(`time(${step})`, kept)}`,
        tags: kept,
        columns: [],
        isInWindows: true,
        ...(inner.isFlatOnly && { isFlatOnly: true as const }),
      })),
    );
  return fc.oneof({ weight: 1, arbitrary: raw }, { weight: 2, arbitrary: reduced });
}

/** Tags that may be grouped by around it. */
function keptTags({ tags, isFlatOnly }: Inner): fc.Arbitrary<string> {
  const [first = ""] = tags.split(", ");
  return isFlatOnly === true ? fc.constant(tags) : oneOf(tags, tags, first, "");
}

const OUTER = [
  "mean(v)",
  "sum(v)",
  "max(v)",
  "min(v)",
  "count(v)",
  "last(v)",
  "first(v)",
  "spread(v)",
  "median(v)",
  "stddev(v)",
  "count(distinct(v))",
  "v",
  "v * 2",
  "count(v), last(v)",
  "max(v) - min(v)",
  "sum(v) / count(v)",
] as const;
const IN_WINDOWS = ["difference(max(v))", "cumulative_sum(sum(v))", "percentile(v, 90)", "distinct(v)"] as const;

/** What takes points in the order of their times. */
const IN_ORDER = /^v|median|spread|stddev|percentile|distinct/;

/** A SELECT over another, or over one over another. */
export function nested(m: Measurement, start_ns: bigint): fc.Arbitrary<string> {
  const inner = fc.oneof({ weight: 4, arbitrary: innermost(m) }, { weight: 1, arbitrary: innermost(m).chain(between) });
  return inner.chain((of) => {
    // What is no number is always another in InfluxDB, as often as it comes, and has no place among numbers; and a moving
    // average may differ in its last digit.
    const isAny = !/stddev\(|moving_average\(/.test(of.text);
    const isAsked = (column: string): boolean => isAny || !/distinct|median|percentile/.test(column);
    const outer = fc.oneof(
      { weight: 6, arbitrary: oneOf(...OUTER.filter(isAsked)) },
      { weight: 1, arbitrary: oneOf(...IN_WINDOWS.filter(isAsked)) },
      ...(of.columns.length > 0
        ? [{ weight: 4, arbitrary: oneOf("sum(v), max(w)", "mean(v) + mean(w)", "max(v), w") }]
        : []),
    );
    return fc
      .tuple(
        outer,
        span(start_ns, true),
        sometimes(oneOf("v > 0", "v <= 5", "v * 2 < 30 AND v > -10", "device != 'L2'", "zone = 'south' AND v > -5")),
        keptTags(of),
        sometimes(every),
        sometimes(oneOf(" fill(none)", " fill(0)", " fill(previous)")),
        sometimes(fc.constant(" ORDER BY time DESC")),
        sometimes(zone),
        alias,
      )
      .map(([columns, { text: times }, filter, tags_, step_, filling, order, zone_, name]) => {
        const tags = of.isByTime === true && IN_ORDER.test(columns) ? of.tags : tags_;
        const isAggregate = columns.includes("(");
        // Of many equal values InfluxDB shows the time of any.
        const isTimed = columns.startsWith("percentile") && step_ === "";
        const step = isAggregate && !columns.includes(", w") ? (isTimed ? "7h" : step_) : "";
        // Over all time at once, InfluxDB gives nothing if the first window begins before the span.
        const isWide = isAggregate && step === "" && of.isInWindows;
        const bounds = isWide
          ? `time >= ${start_ns - 2880n * MINUTE_NS} AND time < ${start_ns + BigInt(SPAN_MIN) * MINUTE_NS}`
          : times;
        const isFilled = step !== "" && isAggregate;
        // And it fills from there.
        const text = isWide ? of.text.replaceAll(/ fill\((0|none)\)/g, "") : of.text;
        // Rows that are merged in windows of UTC come anew into windows of a zone.
        const isZoned = step !== "" && !step.includes(",") && of.isInWindows;
        const isIntegral = text.includes("integral(");
        return `SELECT ${columns}${columns.includes(",") ? "" : name} FROM (${text})${where(bounds, filter)}${by(
          step === "" ? "" : `time(${step})`,
          tags,
        )}${isFilled ? filling : ""}${isIntegral ? "" : order}${isZoned ? zone_ : ""}`;
      });
  });
}
