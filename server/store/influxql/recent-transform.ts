import type { Expression } from "./ast.ts";
import type { RecentColumn } from "./recent-column.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** Goes along a column and puts what comes out into another one, in the order of time. */
export interface ColumnTransformation {
  run(from: RecentColumn, to: RecentColumn): void;
  /** How many of the earliest points give none. */
  readonly skips: number;
}

/**
 * A function from one point to the next, over columns of numbers of which no two are at one time; undefined: another
 * function, or one that counts time finer than columns do. Wraps around nowhere: whole numbers are below 2⁵³.
 */
export function columnTransformation(
  { name, arguments: given }: Call,
  every_ns: bigint,
  isAscending: boolean,
): ColumnTransformation | undefined {
  const [, second] = given;
  const own_ns = second?.kind === "duration" ? second.ns : undefined;
  switch (name) {
    case "difference":
    case "non_negative_difference":
      return steps(isAscending, name !== "difference", (change) => change);
    case "derivative":
    case "non_negative_derivative": {
      const unit_ns = Number(own_ns ?? (every_ns > 0n ? every_ns : 1_000_000_000n));
      return steps(isAscending, name !== "derivative", (change, elapsed_ms) => change / ((elapsed_ms * 1e6) / unit_ns));
    }
    case "cumulative_sum":
      return summed(isAscending);
    case "moving_average":
      return averaged(isAscending, second?.kind === "integer" ? Number(second.value) : 2);
    default:
      return undefined;
  }
}

function steps(
  isAscending: boolean,
  isNonNegative: boolean,
  value: (change: number, elapsed_ms: number) => number,
): ColumnTransformation {
  // Told by the later of two points in ascending order, in descending order by the earlier one.
  const [before, at] = isAscending ? [0, 1] : [1, 0];
  const run: ColumnTransformation["run"] = ({ times, numbers, length }, to) => {
    for (let index = 0; index + 1 < length; index++) {
      const change = (numbers[index + at] as number) - (numbers[index + before] as number);
      if (isNonNegative && change < 0) continue;
      to.times[to.length] = times[index + at] as number;
      to.numbers[to.length++] = value(change, (times[index + 1] as number) - (times[index] as number));
    }
  };
  return { run, skips: at };
}

function summed(isAscending: boolean): ColumnTransformation {
  const run: ColumnTransformation["run"] = ({ times, numbers, length }, to) => {
    let total = 0;
    for (let step = 0; step < length; step++) {
      const index = isAscending ? step : length - 1 - step;
      total += numbers[index] as number;
      to.times[index] = times[index] as number;
      to.numbers[index] = total;
    }
    to.length = length;
  };
  return { run, skips: 0 };
}

function averaged(isAscending: boolean, size: number): ColumnTransformation {
  const run: ColumnTransformation["run"] = ({ times, numbers, length }, to) => {
    const count = Math.max(0, length - size + 1);
    let total = 0;
    for (let step = 0; step < length; step++) {
      const index = isAscending ? step : length - 1 - step;
      if (step >= size) total -= numbers[isAscending ? index - size : index + size] as number;
      total += numbers[index] as number;
      if (step + 1 < size) continue;
      const place = isAscending ? step + 1 - size : index;
      to.times[place] = times[index] as number;
      to.numbers[place] = total / size;
    }
    to.length = count;
  };
  return { run, skips: isAscending ? size - 1 : 0 };
}
