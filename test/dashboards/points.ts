/** A point in milliseconds. */
export interface Written {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string | undefined>>;
  readonly fields: Readonly<Record<string, number | string | null | undefined>>;
  readonly at: number;
}

/** One line of line protocol with a time in milliseconds; undefined for a point without a value. */
export function lineOf({ measurement, tags, fields, at }: Written): string | undefined {
  const values = Object.entries(fields).flatMap(([name, value]) => {
    if (typeof value === "string") return [`${key(name)}="${value.replaceAll(/["\\]/g, "\\$&")}"`];
    return typeof value === "number" && Number.isFinite(value) ? [`${key(name)}=${value}`] : [];
  });
  if (values.length === 0) return undefined;
  const labels = Object.entries(tags).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`,${key(name)}=${key(value)}`],
  );
  return `${measurement}${labels.join("")} ${values.join(",")} ${Math.round(at)}`;
}

const key = (text: string): string => text.replaceAll(/[,= ]/g, "\\$&");
