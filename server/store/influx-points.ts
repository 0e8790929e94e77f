import type { Reading } from "#protocol/messages.ts";
import type { Description } from "./describe.ts";

/** Fields of one device at one instant: one line of line protocol. */
export interface InfluxPoint {
  readonly description: Description;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly fields: Record<string, number>;
}

/** Lines of one request: InfluxData's own advice, and well below its limit of 25 MB a request. */
export const POINTS_A_REQUEST = 5000;

/**
 * Readings as points, in parts for one request each: readings of one device at one instant that follow each other share a
 * point; a measure that is said twice at one instant begins a new one, and InfluxDB keeps the later.
 */
export function* partsOf(
  readings: Iterable<Reading>,
  describe: (device: string) => Description,
): Generator<InfluxPoint[]> {
  let part: InfluxPoint[] = [];
  let point: InfluxPoint | undefined;
  let device: string | undefined;
  for (const reading of readings) {
    const { measure, at, value } = reading;
    if (point !== undefined && reading.device === device && at === point.at && !Object.hasOwn(point.fields, measure)) {
      point.fields[measure] = value;
      continue;
    }
    if (part.length === POINTS_A_REQUEST) {
      yield part;
      part = [];
    }
    device = reading.device;
    point = { description: describe(device), at, fields: { [measure]: value } };
    part.push(point);
  }
  if (part.length > 0) yield part;
}
