import type { Expression, Source } from "./ast.ts";
import { callRelation, TAKES_NAN } from "./call-relation.ts";
import { ranks, type Read } from "./calls.ts";
import type { Options } from "./options.ts";
import { type Aggregation, canAggregate, modes, reducedSql, streamed } from "./pushdown.ts";
import { sourceScan } from "./source-scan.ts";
import { type Stream, StreamBuilder } from "./stream.ts";
import { windowsSql } from "./window-sql.ts";

type Call = Extract<Expression, { kind: "call" }>;

/**
 * An aggregate over one SELECT inside, both in one query: no row of the inner one is read but what the aggregate gives.
 * Undefined: the inner one holds what is not computed in SQL.
 */
export async function nestedAggregate(
  aggregation: Omit<Aggregation, "series">,
  from: readonly Source[],
): Promise<Stream | undefined> {
  const { name, ref, beside, options, read } = aggregation;
  if (from[0]?.kind !== "subquery" || beside.length > 0 || !canAggregate(name)) return undefined;
  const source = sourceScan(from, ref, options, read);
  if (source === undefined) return undefined;
  if (source === "nothing") return [];
  const { hasNaN } = source;
  if (hasNaN[0] === true && !TAKES_NAN.has(name)) return undefined;
  const windows = windowsSql(source.scan.sql, options, source.scan.unit_ns);
  if (windows === undefined) return undefined;
  const { window } = windows;
  const scan = { ...source.scan, sql: windows.rows };
  const full = { ...aggregation, series: [] };
  if (name === "mode") return modes(scan, window, full);
  return streamed(reducedSql(full, scan, window), scan, full, options.aux, !options.isOrdered);
}

/** A call whose points are not those of a plain aggregate, in one query; undefined: it must be computed here. */
export async function callInSql(
  call: Call,
  options: Options,
  from: readonly Source[],
  read: Read,
): Promise<Stream | undefined> {
  const relation = callRelation(call, { ...options, aux: [] }, false, from, read);
  if (relation === undefined) return undefined;
  if (relation === "nothing") return [];
  const { sql, groups } = relation;
  const direction = options.isAscending ? "ASC" : "DESC";
  const order = [`[${ranks(groups).join(",")}][g + 1]`, "t", "g"].map((each) => `${each} ${direction}`);
  const [g = [], t = [], v = []] = await read.fetch(`SELECT g, t, c0 FROM (${sql}) ORDER BY ${order.join(", ")}`);
  const out = new StreamBuilder(false);
  for (let row = 0; row < g.length; row++) {
    const group = groups[g[row] as number];
    if (group !== undefined) out.add(group.name, group.tags, t[row] as bigint, v[row] ?? null);
  }
  return out.runs;
}
