import type { Dimension, Expression, Fill, Select } from "./ast.ts";
import { conditionOf } from "./condition.ts";
import type { ValueType } from "./evaluate.ts";
import { offsetIn } from "./time.ts";
import { MAX_NS, MIN_NS, type Windows } from "./window.ts";

export interface Ref {
  readonly name: string;
  readonly type: ValueType;
}

/** How one SELECT, or one inside another, reads: what InfluxDB hands to each of its iterators. */
export interface Options extends Windows {
  readonly isAscending: boolean;
  /** Points of one window are put in the order of their own times. */
  readonly isOrdered: boolean;
  readonly fill: Fill;
  /** Tags by which points are kept apart and in order: those of the outermost SELECT. */
  readonly order: readonly string[];
  /** Tags that points keep: those of this SELECT and all around it. Sorted. */
  readonly groups: readonly string[];
  readonly condition: Expression | undefined;
  /**
   * What InfluxDB opens for the whole statement: the span of the outermost SELECT and what its own functions need before it.
   * Nothing inside reads beyond, whatever it needs.
   */
  readonly opened: readonly [from_ns: bigint, to_ns: bigint];
  readonly limit: number;
  readonly offsetRows: number;
  readonly slimit: number;
  readonly soffset: number;
  readonly aux: readonly Ref[];
}

export const tagsOf = (group: readonly Dimension[]): string[] =>
  group.flatMap((each) => (each.kind === "tag" ? [each.name] : []));

/** Tags of points: those that are grouped by, here or around. */
export const keptTags = ({ groups, order }: Options): readonly string[] => (groups.length > 0 ? groups : order);

interface Interval {
  readonly every: bigint;
  readonly offset: bigint;
}

function intervalOf(group: readonly Dimension[], now_ns: bigint): Interval {
  const time = group.find((each) => each.kind === "time");
  if (time === undefined || time.every_ns <= 0n) return { every: 0n, offset: 0n };
  const { every_ns: every, offset_ns } = time;
  return { every, offset: offset_ns === "now" ? offsetIn(now_ns, every) : offset_ns % every };
}

/** The options of the outermost SELECT. */
export function outerOptions(select: Select, now_ns: bigint): Options {
  const { from_ns, to_ns, where } = conditionOf(select.where, now_ns, select.zone);
  const interval = intervalOf(select.group, now_ns);
  const tags = tagsOf(select.group);
  const start = from_ns ?? MIN_NS;
  const end = to_ns ?? (interval.every > 0n ? now_ns : MAX_NS);
  const before = interval.every * select.columns.reduce((most, { expression }) => larger(most, needed(expression)), 0n);
  return {
    ...interval,
    start,
    end,
    opened: select.order === "asc" ? [start - before, end] : [start, end + before],
    zone: select.zone,
    isAscending: select.order === "asc",
    isOrdered: true,
    fill: select.fill,
    order: tags,
    groups: sortedUnique(tags),
    condition: where,
    limit: select.limit,
    offsetRows: select.offset,
    slimit: select.slimit,
    soffset: select.soffset,
    aux: [],
  };
}

/** The options of a SELECT inside another: bounds, order and groups come from around it. */
export function innerOptions(select: Select, outer: Options, now_ns: bigint, isRaw: boolean): Options {
  const own = outerOptions(select, now_ns);
  const { from_ns, to_ns } = conditionOf(select.where, now_ns, select.zone);
  let end = to_ns ?? MAX_NS;
  if (end > outer.end) end = outer.end;
  if (own.every !== 0n && end === MAX_NS) end = now_ns;
  const start = from_ns !== undefined && from_ns > outer.start ? from_ns : outer.start;
  const isEmptyFill = own.fill.kind === "null" || own.fill.kind === "auto";
  return {
    ...own,
    start,
    end,
    opened: outer.opened,
    isAscending: outer.isAscending,
    isOrdered: outer.isOrdered,
    order: outer.order,
    groups: sortedUnique([...own.groups, ...outer.groups]),
    slimit: own.slimit + outer.slimit,
    soffset: own.soffset + outer.soffset,
    fill: !isRaw && isEmptyFill ? { kind: "none" } : own.fill,
    ...(own.every === 0n && { every: outer.every, offset: outer.offset }),
  };
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Functions that need the window before. */
const COMPARING = new Set([
  "derivative",
  "non_negative_derivative",
  "difference",
  "non_negative_difference",
  "elapsed",
  "cumulative_sum",
]);

/** How many windows before the first InfluxDB opens for an expression. */
function needed(part: Expression): bigint {
  switch (part.kind) {
    case "call": {
      const [first, second] = part.arguments;
      const inside = first === undefined ? 0n : needed(first);
      if (part.name === "moving_average" && second?.kind === "integer") return larger(inside, second.value);
      return COMPARING.has(part.name) ? larger(inside, 1n) : inside;
    }
    case "binary":
      return larger(needed(part.left), needed(part.right));
    case "parentheses":
      return needed(part.inner);
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "reference":
    case "regex":
    case "string":
    case "wildcard":
    default:
      return 0n;
  }
}

const sortedUnique = (names: readonly string[]): string[] => [...new Set(names)].sort();
