import type { Field, Frame } from "./frames.ts";
import type { Answered } from "./look.ts";

/** Sums of the same numbers in another order differ in their last digits. */
const RELATIVE = 1e-9;

/**
 * What differs between the answers of two servers to the same questions, each as a sentence. Two things may: the order of rows
 * of one time (and which of them a LIMIT leaves), and the time of an extreme of computed values, where two are equal but for
 * their last digits.
 */
export function differences(ones: readonly Answered[], others: readonly Answered[]): string[] {
  if (ones.length !== others.length) return [`${ones.length} questions against ${others.length}`];
  return ones.flatMap((one, index) => {
    const other = others[index] as Answered;
    const what = difference(one, other.frames);
    return what === undefined ? [] : [`${one.asked.where}: ${what}: ${one.asked.influxql}`];
  });
}

function difference({ asked, frames }: Answered, others: readonly Frame[]): string | undefined {
  if (frames.length !== others.length) return `${frames.length} frames against ${others.length}`;
  const limit = Number(/ LIMIT (\d+)$/.exec(asked.influxql)?.[1] ?? Infinity);
  const anyTime = / FROM \(/.test(asked.influxql) && !/ GROUP BY time\([^)]*\)[^()]*$/.test(asked.influxql);
  for (const [index, frame] of frames.entries()) {
    const other = others[index] as Frame;
    const [head, otherHead] = [headOf(frame), headOf(other)];
    if (head !== otherHead) return `${head} against ${otherHead}`;
    const [rows, otherRows] = [rowsOf(frame, limit, anyTime), rowsOf(other, limit, anyTime)];
    if (rows.length !== otherRows.length) return `${rows.length} rows against ${otherRows.length} of ${frame.name}`;
    const place = rows.findIndex((row, at) => !row.every((value, column) => same(value, otherRows[at]?.[column])));
    if (place >= 0) return `${JSON.stringify(rows[place])} against ${JSON.stringify(otherRows[place])}`;
  }
  return undefined;
}

const headOf = (frame: Frame): string =>
  JSON.stringify([frame.name, frame.fields.map(({ name, type, labels }) => [name, type, labels])]);

type Value = Field["values"][number];

function rowsOf({ fields }: Frame, limit: number, anyTime: boolean): Value[][] {
  const kept = anyTime ? fields.filter((field) => field.type !== "time") : fields;
  const rows = (fields[0]?.values ?? []).map((_, at) => kept.map((field) => field.values[at] ?? null));
  if (anyTime) return rows;
  const last = rows.at(-1)?.[0];
  const whole = rows.length < limit ? rows : rows.filter((row) => row[0] !== last);
  return [...Map.groupBy(whole, (row) => row[0]).values()].flatMap((group) =>
    group.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  );
}

function same(one: Value, other: Value | undefined): boolean {
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  return Math.abs(one - other) <= RELATIVE * Math.max(1, Math.abs(one), Math.abs(other));
}
