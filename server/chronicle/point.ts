import type { SERIES, SeriesName } from "#protocol/series.ts";
import type { Instant } from "#protocol/units.ts";

/** A point of a series that the server writes of itself: what protocol/series.ts says it may hold. */
export interface OwnPoint {
  readonly measurement: SeriesName;
  /** A tag without a value is left out. */
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string>>;
  readonly at: Instant;
}

type Tags<Name extends SeriesName> = { readonly [Tag in keyof (typeof SERIES)[Name]["tags"]]?: string | undefined };
type Fields<Name extends SeriesName> = {
  readonly [Field in keyof (typeof SERIES)[Name]["fields"]]?: number | string | null | undefined;
};

/** A point with those of its tags and fields that have a value. */
export function point<Name extends SeriesName>(
  measurement: Name,
  at: Instant,
  tags: Tags<Name>,
  fields: Fields<Name>,
): OwnPoint {
  return { measurement, at, tags: known(tags) as OwnPoint["tags"], fields: known(fields) };
}

type Loose = Readonly<Record<string, number | string | null | undefined>>;

function known(values: Loose): Record<string, number | string> {
  const held: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") continue;
    if (typeof value === "number" && !Number.isFinite(value)) continue;
    held[name] = value;
  }
  return held;
}
