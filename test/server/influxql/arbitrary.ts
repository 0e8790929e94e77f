import fc from "fast-check";
import type {
  Column,
  Dimension,
  Expression,
  Fill,
  Measurement,
  Operator,
  RegularExpression,
  Select,
  Show,
  Source,
} from "#server/store/influxql/ast.ts";

/** The names that random statements use. */
export interface Vocabulary {
  readonly databases: readonly string[];
  readonly policies: readonly string[];
  readonly measurements: readonly string[];
  readonly fields: readonly string[];
  readonly tags: readonly string[];
  readonly tagValues: readonly string[];
  readonly patterns: readonly string[];
}

/** Names of all sorts: plain, keywords, and such as must be quoted. */
export const ANY_NAMES: Vocabulary = {
  databases: ["vigie", "a b"],
  policies: ["raw", "default", "15 min"],
  measurements: ["lamp", "select", "ma-junction", "é", 'qu"ote', "back\\slash", "new\nline", "0"],
  fields: ["level", "power_W", "time", "from", "a.b", ""],
  tags: ["device", "station", "key", "Zone 1"],
  tagValues: ["L1", "", "it's", "back\\slash", "new\nline", "é😀"],
  patterns: ["L.*", "^a/b$", "[[:alpha:]]+\\d", "(?i)x|y", "", "\\/"],
};

const PRECEDENCE: Readonly<Record<Operator, number>> = {
  OR: 1,
  AND: 2,
  "=": 3,
  "!=": 3,
  "=~": 3,
  "!~": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "|": 4,
  "^": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  "&": 5,
};

/** A binary expression, its sides in parentheses where the operator would otherwise take them apart. */
export function binary(operator: Operator, left: Expression, right: Expression): Expression {
  const grouped = (side: Expression, least: number): Expression =>
    side.kind === "binary" && PRECEDENCE[side.operator] < least ? { kind: "parentheses", inner: side } : side;
  const precedence = PRECEDENCE[operator];
  return { kind: "binary", operator, left: grouped(left, precedence), right: grouped(right, precedence + 1) };
}

const signed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1000, max: 1000 }).map((tenths) => tenths / 10),
);
const pick = <Name extends string>(names: readonly Name[]): fc.Arbitrary<Name> => fc.constantFrom(...names);

const pattern = (words: Vocabulary): fc.Arbitrary<RegularExpression> =>
  pick(words.patterns).map((source) => ({ kind: "regex", source }));

/** Fields, tags, literals, arithmetic, calls. */
export function valueExpression(words: Vocabulary): fc.Arbitrary<Expression> {
  const reference: fc.Arbitrary<Expression> = fc.record(
    {
      kind: fc.constant("reference" as const),
      name: pick([...words.fields, ...words.tags]),
      type: pick(["float", "integer", "unsigned", "string", "boolean", "field", "tag"] as const),
    },
    { requiredKeys: ["kind", "name"] },
  );
  const literal: fc.Arbitrary<Expression> = fc.oneof(
    number.map((value) => ({ kind: "number" as const, value })),
    signed.map((value) => ({ kind: "integer" as const, value })),
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map((ns) => ({ kind: "duration" as const, ns })),
  );
  const many = manyFields(words);
  const { expression } = fc.letrec<{ expression: Expression; call: Expression; sum: Expression }>((tie) => ({
    expression: fc.oneof({ depthSize: "small", withCrossShrink: true }, reference, literal, tie("call"), tie("sum")),
    call: fc
      .tuple(
        pick(["mean", "max", "count", "percentile", "derivative", "abs", "now", "my function"]),
        fc.array(fc.oneof({ weight: 4, arbitrary: tie("expression") }, { weight: 1, arbitrary: many }), {
          maxLength: 3,
        }),
      )
      .map(([name, given]) => ({ kind: "call", name, arguments: given })),
    sum: fc
      .tuple(pick(["+", "-", "*", "/", "%", "&", "|", "^"] as const), tie("expression"), tie("expression"))
      .map(([operator, left, right]) => binary(operator, left, right)),
  }));
  return expression;
}

/** Many columns at once. */
function manyFields(words: Vocabulary): fc.Arbitrary<Expression> {
  return fc.oneof(
    fc.record(
      { kind: fc.constant("wildcard" as const), type: pick(["field", "tag"] as const) },
      { requiredKeys: ["kind"] },
    ),
    pattern(words),
  );
}

/** What may stand in SELECT. */
export function fieldExpression(words: Vocabulary): fc.Arbitrary<Expression> {
  const distinct = pick(words.fields).map((name): Expression => ({ kind: "distinct", name }));
  return fc.oneof(
    { weight: 6, arbitrary: valueExpression(words) },
    { weight: 1, arbitrary: manyFields(words) },
    { weight: 1, arbitrary: distinct },
  );
}

/** What may stand in WHERE. */
export function conditionExpression(words: Vocabulary): fc.Arbitrary<Expression> {
  const tag = pick(words.tags).map((name): Expression => ({ kind: "reference", name }));
  const text = pick(words.tagValues).map((value): Expression => ({ kind: "string", value }));
  const field = pick(words.fields).map((name): Expression => ({ kind: "reference", name }));
  const value = fc.oneof(
    number.map((each): Expression => ({ kind: "number", value: each })),
    signed.map((each): Expression => ({ kind: "integer", value: each })),
    fc.boolean().map((each): Expression => ({ kind: "boolean", value: each })),
  );
  const compared = pick(["=", "!=", "<", "<=", ">", ">="] as const);
  const comparison = fc.oneof(
    fc.tuple(pick(["=", "!="] as const), tag, text).map(([operator, left, right]) => binary(operator, left, right)),
    fc
      .tuple(pick(["=~", "!~"] as const), tag, pattern(words))
      .map(([operator, left, right]) => binary(operator, left, right)),
    fc.tuple(compared, field, value).map(([operator, left, right]) => binary(operator, left, right)),
    fc.tuple(compared, valueExpression(words), value).map(([operator, left, right]) => binary(operator, left, right)),
    span,
  );
  const { condition } = fc.letrec<{ condition: Expression; both: Expression }>((tie) => ({
    condition: fc.oneof({ depthSize: "small", withCrossShrink: true }, comparison, tie("both")),
    both: fc
      .tuple(pick(["AND", "OR"] as const), tie("condition"), tie("condition"))
      .map(([operator, left, right]) => binary(operator, left, right)),
  }));
  return condition;
}

const TIME: Expression = { kind: "reference", name: "time" };
const span: fc.Arbitrary<Expression> = fc
  .tuple(
    pick(["=", "<", "<=", ">", ">="] as const),
    fc.oneof(
      fc.constant<Expression>({ kind: "string", value: "2026-03-29T01:00:00.5Z" }),
      signed.map((value): Expression => ({ kind: "integer", value })),
      fc
        .bigInt({ min: 0n, max: 10n ** 15n })
        .map((ns) => binary("-", { kind: "call", name: "now", arguments: [] }, { kind: "duration", ns })),
    ),
  )
  .map(([operator, at]) => binary(operator, TIME, at));

export const measurement = (words: Vocabulary): fc.Arbitrary<Measurement> =>
  fc.record(
    {
      kind: fc.constant("measurement" as const),
      database: pick(words.databases),
      retention: pick(words.policies),
      name: fc.oneof(pick(words.measurements), pattern(words)),
    },
    { requiredKeys: ["kind", "name"] },
  );

export function dimension(words: Vocabulary): fc.Arbitrary<Dimension> {
  const every = fc.bigInt({ min: 1n, max: 10n ** 15n });
  return fc.oneof(
    fc.record({
      kind: fc.constant("time" as const),
      every_ns: every,
      offset_ns: fc.oneof(fc.constant(0n), fc.constant("now" as const), every),
    }),
    pick(words.tags).map((name): Dimension => ({ kind: "tag", name })),
    pattern(words).map((each): Dimension => ({ kind: "regex", pattern: each })),
    fc.constant<Dimension>({ kind: "wildcard" }),
  );
}

const fill: fc.Arbitrary<Fill> = fc.oneof(
  pick(["auto", "null", "none", "previous", "linear"] as const).map((kind): Fill => ({ kind })),
  fc.oneof(number, signed).map((value): Fill => ({ kind: "number", value })),
);
const limit = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 10_000 }) });

/** Any SELECT that can be written, whether it can be run or not; `depth` levels of SELECT inside. */
export function select(words: Vocabulary, depth = 1): fc.Arbitrary<Select> {
  const column: fc.Arbitrary<Column> = fc.record(
    { expression: fieldExpression(words), alias: pick(words.fields.filter((each) => each !== "")) },
    { requiredKeys: ["expression"] },
  );
  const source: fc.Arbitrary<Source> =
    depth === 0
      ? measurement(words)
      : fc.oneof(
          { weight: 4, arbitrary: measurement(words) },
          {
            weight: 1,
            arbitrary: select(words, depth - 1).map((inner): Source => ({ kind: "subquery", select: inner })),
          },
        );
  return fc
    .record(
      {
        columns: fc.array(column, { minLength: 1, maxLength: 3 }),
        into: fc.record(
          {
            kind: fc.constant("measurement" as const),
            retention: pick(words.policies),
            name: pick(words.measurements),
          },
          { requiredKeys: ["kind", "name"] },
        ),
        from: fc.array(source, { minLength: 1, maxLength: 2 }),
        where: conditionExpression(words),
        group: fc.array(dimension(words), { maxLength: 3 }),
        fill,
        order: fc.option(pick(["asc", "desc"] as const), { nil: undefined }),
        limit,
        offset: limit,
        slimit: limit,
        soffset: limit,
        zone: pick(["UTC", "Europe/Paris", "America/New_York"]),
      },
      { requiredKeys: ["columns", "from", "group", "fill", "order", "limit", "offset", "slimit", "soffset"] },
    )
    .map(({ order, ...rest }) => ({
      kind: "select",
      ...rest,
      order: order ?? "asc",
      ...(order !== undefined && { isOrderWritten: true as const }),
    }));
}

/** Any SHOW that can be written. */
export function show(words: Vocabulary): fc.Arbitrary<Show> {
  const bare: Show = {
    kind: "show",
    what: "databases",
    from: [],
    order: "asc",
    limit: 0,
    offset: 0,
    slimit: 0,
    soffset: 0,
  };
  const from = fc.array(measurement(words), { maxLength: 2 });
  const database = pick(words.databases);
  const where = conditionExpression(words);
  const group = fc.array(dimension(words), { minLength: 1, maxLength: 2 });
  const order = pick(["asc", "desc"] as const);
  const isExact = fc.constant(true as const);
  const withKey = fc.oneof(
    fc.record({ operator: pick(["=", "!="] as const), keys: pick(words.tags).map((each) => [each]) }),
    fc.record({
      operator: fc.constant("IN" as const),
      keys: fc.array(pick(words.tags), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ operator: pick(["=~", "!~"] as const), keys: pattern(words) }),
  );
  const form = (what: Show["what"], clauses: { [Key in keyof Show]?: fc.Arbitrary<Show[Key]> }): fc.Arbitrary<Show> =>
    fc.record(clauses, { requiredKeys: what.startsWith("tag values") ? ["withKey" as never] : [] }).map((found) => ({
      ...bare,
      what,
      ...(found as Partial<Show>),
    }));
  const list = { database, from, where, order, limit, offset: limit };
  const count = { isExact, database, from, where, group, limit, offset: limit };
  return fc.oneof(
    form("databases", {}),
    form("retention policies", { database }),
    form("measurements", {
      database,
      withMeasurement: fc.oneof(pick(words.measurements), pattern(words)),
      where,
      order,
      limit,
      offset: limit,
    }),
    form("series", list),
    form("tag keys", { ...list, slimit: limit, soffset: limit }),
    form("tag values", { ...list, withKey }),
    form("field keys", { database, from, order, limit, offset: limit }),
    form("series cardinality", count),
    form("measurement cardinality", count),
    form("tag key cardinality", count),
    form("field key cardinality", count),
    form("tag values cardinality", { ...count, withKey }),
    form("stats", { of: pick(words.tagValues) }),
  );
}
