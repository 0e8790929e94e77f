import type { Select, Source } from "./ast.ts";
import { callRelation } from "./call-relation.ts";
import type { Read } from "./calls.ts";
import { columnSql, type ColumnSql } from "./column-sql.ts";
import { Parts, SELECTORS } from "./columns.ts";
import { type Options, type Ref, keptTags } from "./options.ts";
import { spread } from "./resolve.ts";
import { SQL_TYPES } from "./scan.ts";
import { columnsOf, sourceScan } from "./source-scan.ts";
import { compareText, type TagSet } from "./tags.ts";

/** What can be read by SQL; "nothing": there is no such point; undefined: it must be computed here. */
export type Possible<Found> = Found | "nothing" | undefined;

export interface Group {
  readonly name: string;
  readonly tags: TagSet;
  readonly order: TagSet;
}

/** Points or rows as SQL: `g` (place in `groups`), `t` (nanoseconds), and columns `c0`, `c1`…. */
export interface Relation {
  readonly sql: string;
  readonly groups: readonly Group[];
  readonly columns: readonly ColumnSql[];
  /** No group has two at one time. */
  readonly isSingle: boolean;
  /** How often its SQL reads a table. */
  readonly reads: number;
}

/** Each call of a SELECT reads what is inside anew: what would read oftener than this is not one query any more. */
const MOST_READS = 12;

/** The rows of a SELECT whose names are resolved, each of its columns in its place. */
export function relationOf(select: Select, options: Options, read: Read): Possible<Relation> {
  const { kind } = options.fill;
  if (kind !== "none" && kind !== "null" && kind !== "auto") return undefined;
  const columns = spread(select.columns);
  if (columns.length !== select.columns.length) return undefined;
  const parts = new Parts(columns);
  const inputs = inputsOf(parts, select.from, options, read);
  if (inputs === undefined) return undefined;
  const [first] = inputs;
  if (first === undefined) return "nothing";
  const { relation, places } = inputs.length === 1 ? first : joined(inputs);
  const found = columns.map(({ expression }) =>
    columnSql(expression, (part) => {
      const place = parts.placeOf(part);
      if (place === undefined) return undefined;
      return relation.columns[places.indexOf(place)] ?? NEVER;
    }),
  );
  const known = found.filter((each) => each !== undefined);
  if (known.length < found.length) return undefined;
  if (known.every(({ sql }, index) => sql === `c${index}`)) return { ...relation, columns: known };
  const sql = `SELECT g, t${known.map((each, index) => `, ${each.sql} AS c${index}`).join("")} FROM (${relation.sql})`;
  return { ...relation, sql, columns: known.map((each, index) => ({ ...each, sql: `c${index}` })) };
}

const NEVER: ColumnSql = { sql: "NULL::DOUBLE", type: "float", hasNaN: false };

/** What the columns are computed from, and which place among the parts each column of it has. */
interface Input {
  readonly relation: Relation;
  readonly places: readonly number[];
}

function inputsOf(parts: Parts, from: readonly Source[], options: Options, read: Read): Input[] | undefined {
  const aux = parts.refs.map(({ ref }) => ref);
  const beside = parts.refs.map(({ place }) => place);
  const own: Options = { ...options, aux };
  const cut = (relation: Possible<Relation>, places: readonly number[]): Input[] | undefined => {
    if (relation === "nothing") return [];
    const rest = relation === undefined ? undefined : limited(relation, options);
    return rest === undefined ? undefined : [{ relation: rest, places }];
  };
  const [first] = parts.calls;
  if (first === undefined) return cut(rawRelation(aux, from, own, read), beside);
  const isSelector = parts.calls.length === 1 && SELECTORS.has(first.call.name);
  const inputs: Input[] = [];
  for (const { call, place, type } of parts.calls) {
    if (type === undefined) continue;
    const found = cut(callRelation(call, own, isSelector, from, read), [place, ...beside]);
    if (found === undefined) return undefined;
    inputs.push(...found);
  }
  if (inputs.reduce((sum, { relation }) => sum + relation.reads, 0) > MOST_READS) return undefined;
  // Where points keep more tags than they are put in order by, InfluxDB takes what lies side by side for one row.
  const isFiner = keptTags(options).length !== options.order.length;
  const isMixed = inputs.length > 1 && (isFiner || inputs.some(({ relation }) => !relation.isSingle));
  return isMixed && !isOfOneField(parts.calls, options) ? undefined : inputs;
}

/** These give a point wherever there is any value; the times that they look at are of no account. */
const ALWAYS = new Set(["count", "sum", "mean", "spread", "stddev"]);
/** These, too, but they stand by the times of their own points where the outer SELECT wants points in order. */
const BY_TIME = new Set(["median", "min", "max", "first", "last"]);

/** Whether all calls give points in the same windows and in the same order. */
function isOfOneField(calls: Parts["calls"], { isOrdered }: Options): boolean {
  const field = calls[0]?.call.arguments[0];
  if (field?.kind !== "reference") return false;
  return calls.every(({ call: { name, arguments: given } }) => {
    const [other] = given;
    if (other?.kind !== "reference" || !(ALWAYS.has(name) || (!isOrdered && BY_TIME.has(name)))) return false;
    return other.name === field.name && other.type === field.type;
  });
}

function rawRelation(aux: readonly Ref[], from: readonly Source[], options: Options, read: Read): Possible<Relation> {
  if (aux.every(({ type }) => type === undefined || type === "tag")) return undefined;
  const source = sourceScan(from, undefined, options, read);
  if (typeof source !== "object") return source;
  const { scan } = source;
  const columns = columnsOf(source);
  const sql = `SELECT g, t * ${scan.unit_ns} AS t, ${columns.map((each) => each.sql).join(", ")} FROM (${scan.sql})`;
  return { sql, groups: scan.groups, columns, isSingle: scan.isSingle, reads: source.reads };
}

/** LIMIT and OFFSET, which count anew in each group; undefined where groups lie in each other. */
function limited(relation: Relation, options: Options): Relation | undefined {
  const { limit, offsetRows, isAscending } = options;
  if (limit === 0 && offsetRows === 0) return relation;
  if (!relation.isSingle || keptTags(options).length !== options.order.length) return undefined;
  const place = `row_number() OVER (PARTITION BY g ORDER BY t ${isAscending ? "ASC" : "DESC"})`;
  const most = limit === 0 ? "" : ` AND ${place} <= ${offsetRows + limit}`;
  return { ...relation, sql: `SELECT * FROM (${relation.sql}) QUALIFY ${place} > ${offsetRows}${most}` };
}

/** Several side by side: a row wherever any of them has one. */
function joined(inputs: readonly Input[]): Input {
  const { groups, maps } = union(inputs.map(({ relation }) => relation.groups));
  const all = inputs.flatMap(({ relation }, input) => relation.columns.map((column) => ({ input, column })));
  const parts = inputs.map(({ relation }, input) => {
    const columns = all.map(({ input: owner, column }, index) =>
      owner === input ? `${column.sql} AS c${index}` : `NULL::${SQL_TYPES[column.type]} AS c${index}`,
    );
    return `SELECT ${mapped(maps[input] as number[])} AS g, t, ${columns.join(", ")} FROM (${relation.sql})`;
  });
  const columns = all.map(({ column }, index) => ({ ...column, sql: `c${index}` }));
  const values = columns.map(({ sql }) => `any_value(${sql}) AS ${sql}`).join(", ");
  const sql = `SELECT g, t, ${values} FROM (${parts.join(" UNION ALL ")}) GROUP BY g, t`;
  const reads = inputs.reduce((sum, { relation }) => sum + relation.reads, 0);
  return { relation: { sql, groups, columns, isSingle: true, reads }, places: inputs.flatMap(({ places }) => places) };
}

/** The place of a group as SQL, found by the place `g` that it had. */
export function mapped(places: readonly (number | undefined)[]): string {
  if (places.every((place, index) => place === index)) return "g";
  const [first] = places;
  if (first !== undefined && places.every((place) => place === first)) return String(first);
  return `([${places.map((place) => place ?? "NULL").join(",")}]::INTEGER[])[g + 1]`;
}

/** All groups in their order, and for each list the places of its own among them. */
export function union(lists: readonly (readonly Group[])[]): { groups: Group[]; maps: number[][] } {
  const found = new Map<string, Group>();
  const idOf = ({ name, tags }: Group): string => `${name}\0${tags.id}`;
  for (const each of lists.flat()) if (!found.has(idOf(each))) found.set(idOf(each), each);
  const groups = [...found.values()].sort(
    (a, b) => compareText(a.name, b.name) || compareText(a.order.id, b.order.id) || compareText(a.tags.id, b.tags.id),
  );
  const places = new Map(groups.map((each, place) => [idOf(each), place]));
  return { groups, maps: lists.map((list) => list.map((each) => places.get(idOf(each)) as number)) };
}
