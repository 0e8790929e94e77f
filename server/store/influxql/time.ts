/** The bounds of what InfluxDB takes for a time: the outermost values of 64 bits are its own marks. */
export const EARLIEST_NS = -(2n ** 63n) + 2n;
export const LATEST_NS = 2n ** 63n - 2n;

/** Whether a string may be a time at all: it begins with a date. */
export const looksLikeTime = (text: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(text);

const CLOCK = /^(\d{4})-(\d\d)-(\d\d)(?:([ T])(\d\d?):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A time as InfluxQL writes it, in nanoseconds since 1970: `2006-01-02`, `2006-01-02 15:04:05.999999` in the zone of the
 * query (UTC if none), or RFC 3339 with a zone of its own. Undefined: it is no time.
 */
export function timeOf(text: string, zone?: string): bigint | undefined {
  const found = CLOCK.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, parting, hour = "0", minute = "0", second = "0", fraction = "", offset] = found;
  if ((parting === "T") !== (offset !== undefined)) return undefined;
  const date = Date.UTC(2000, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const local = new Date(date);
  local.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (local.getUTCMonth() !== Number(month) - 1 || local.getUTCDate() !== Number(day)) return undefined;
  const local_s = local.getTime() / 1000;
  const away_s = offset === undefined ? awayAtLocal(local_s, zone) : offsetSeconds(offset);
  if (away_s === undefined) return undefined;
  return BigInt(local_s - away_s) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

function offsetSeconds(offset: string): number | undefined {
  if (offset === "Z") return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(4));
  if (hours > 24 || minutes > 60) return undefined;
  return (offset.startsWith("-") ? -60 : 60) * (hours * 60 + minutes);
}

/** How far the zone's clock is ahead of UTC when it shows `local_s`. Of two such moments, or none, Go's choice is taken. */
function awayAtLocal(local_s: number, zone: string | undefined): number {
  const first = secondsAhead(local_s, zone);
  return first === 0 ? 0 : secondsAhead(local_s - first, zone);
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();
/** A text may name any zone that there is: some 600. */
const MOST_FORMATS = 1000;

/** How many seconds a zone's clock is ahead of UTC at a moment, in seconds since 1970. Raises RangeError for an unknown zone. */
export function secondsAhead(at_s: number, zone: string | undefined): number {
  if (zone === undefined || zone === "" || zone === "UTC") return 0;
  let format = FORMATS.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      era: "short",
    });
    if (FORMATS.size < MOST_FORMATS) FORMATS.set(zone, format);
  }
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(at_s * 1000)) parts[type] = value;
  const year = parts["era"] === "BC" ? 1 - Number(parts["year"]) : Number(parts["year"]);
  const shown = new Date(
    Date.UTC(
      2000,
      Number(parts["month"]) - 1,
      Number(parts["day"]),
      Number(parts["hour"]),
      Number(parts["minute"]),
      Number(parts["second"]),
    ),
  );
  shown.setUTCFullYear(year, Number(parts["month"]) - 1, Number(parts["day"]));
  return shown.getTime() / 1000 - Math.floor(at_s);
}

/** From the first of January of the year 1, from which Go counts when it cuts a time, to 1970. */
const YEAR_ONE_NS = 62_135_596_800n * 1_000_000_000n;

/** How far a moment lies after the last multiple of `every_ns`: the offset that `time(every, now())` means. */
export function offsetIn(at_ns: bigint, every_ns: bigint): bigint {
  return every_ns > 0n ? (at_ns + YEAR_ONE_NS) % every_ns : 0n;
}

/** RFC 3339 in UTC with as many digits of the second as it needs. */
export function rfc3339(at_ns: bigint): string {
  const rest_ns = ((at_ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const second = new Date(Number((at_ns - rest_ns) / 1_000_000n)).toISOString().slice(0, -5);
  return rest_ns === 0n ? `${second}Z` : `${second}.${rest_ns.toString().padStart(9, "0").replace(/0+$/, "")}Z`;
}
