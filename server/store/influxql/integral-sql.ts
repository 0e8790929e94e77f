import { asFloat } from "./column-sql.ts";
import type { Options } from "./options.ts";
import type { Scan } from "./scan.ts";

/**
 * The area under the points of a scan in value × `unit_ns`, as SQL that gives `g`, `t` (nanoseconds) and `c0`: what `integral`
 * in transform.ts computes of one point after the other, in the order of time. A line between two windows is cut where the
 * first of them ends, and what is left of it belongs to the window of its second point, even beyond windows without any.
 * `window` is the SQL of the start of the window of a time `t` of the scan.
 */
export function integralSql(scan: Scan, window: string, options: Options, unit_ns: bigint): string {
  const isWhole = scan.types[0] === "integer";
  const perUnit = Number(unit_ns);
  const area = (from: string, to: string, a: string, b: string): string =>
    `0.5 * (${a} + ${b}) * (((${to} - ${from}) * ${scan.unit_ns})::DOUBLE / ${perUnit}::DOUBLE)`;
  const value = asFloat({ sql: "c0", type: scan.types[0] ?? "float" });
  // Of several points at one time a line ends at the first and the next begins at the last.
  const points = scan.isSingle
    ? `SELECT g, t, ${value} AS a, ${value} AS b FROM (${scan.sql}) WHERE c0 IS NOT NULL`
    : `SELECT g, t, arg_min(${value}, s) AS a, arg_max(${value}, s) AS b FROM (${scan.sql}) WHERE c0 IS NOT NULL GROUP BY g, t`;
  const { every } = options;
  if (every === 0n) {
    const lines = `SELECT g, t, a, lag(t) OVER o AS t0, lag(b) OVER o AS b0 FROM (${points}) WINDOW o AS (PARTITION BY g ORDER BY t)`;
    const at = isWhole && options.start >= -(2n ** 62n) ? options.start : 0n;
    return `SELECT g, ${at}::BIGINT AS t, coalesce(sum(${area("t0", "t", "b0", "a")}), 0) AS c0
      FROM (${lines}) GROUP BY g HAVING max(t) * ${scan.unit_ns} <> ${at}`;
  }
  const step = every / scan.unit_ns;
  const lines = `SELECT g, t, a, b, w, lag(t) OVER o AS t0, lag(b) OVER o AS b0, lag(w) OVER o AS w0,
    lead(t) OVER o AS t1, lead(a) OVER o AS a1, lead(w) OVER o AS w1
    FROM (SELECT g, t, a, b, ${window} AS w FROM (${points})) WINDOW o AS (PARTITION BY g ORDER BY t)`;
  const cut = (end: string, from: string, to: string, a: string, b: string): string =>
    `((${b} - ${a}) / ((${to} - ${from}) * ${scan.unit_ns})::DOUBLE * ((${end} - ${from}) * ${scan.unit_ns})::DOUBLE + ${a})`;
  const before = cut(`(w0 + ${step})`, "t0", "t", "b0", "a");
  const after = cut(`(w + ${step})`, "t", "t1", "b", "a1");
  // InfluxDB goes on from the cut of whole numbers with the value before it, and to the cut instead of the point.
  const rest = isWhole ? area(`(w0 + ${step})`, "t", "b0", before) : area(`(w0 + ${step})`, "t", before, "a");
  const into = `CASE WHEN t0 IS NULL THEN 0 WHEN w0 = w THEN ${area("t0", "t", "b0", "a")} ELSE ${rest} END`;
  const out = `CASE WHEN t1 IS NULL OR w1 = w THEN 0 ELSE ${area("t", `(w + ${step})`, "b", after)} END`;
  return `SELECT g, w * ${scan.unit_ns} AS t, sum(${into} + ${out}) AS c0 FROM (${lines})
    GROUP BY g, w HAVING NOT (bool_or(t1 IS NULL) AND max(t) = w)`;
}
