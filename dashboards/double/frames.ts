import type { Asked } from "./requests.ts";

/** A table of columns, as Grafana's data sources give it to panels. */
export interface Frame {
  readonly name: string;
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly type: "time" | "number" | "string" | "boolean";
  readonly values: readonly (number | string | boolean | null)[];
  readonly labels?: Readonly<Record<string, string>>;
  /** How the data source calls it: the alias. */
  readonly displayName?: string;
}

interface Row {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values?: readonly (readonly (number | string | boolean | null)[])[];
}

interface Answer {
  readonly error?: string;
  readonly results?: readonly { readonly error?: string; readonly series?: readonly Row[] }[];
}

/** Reads an answer as Grafana's buffered parser of InfluxQL does. Raises an error with InfluxDB's own words. */
export function framesOf(asked: Pick<Asked, "format" | "alias" | "influxql" | "interval_ms">, body: string): Frame[] {
  const answer = JSON.parse(body) as Answer;
  if (answer.error !== undefined) throw new Error(answer.error);
  const [result] = answer.results ?? [];
  if (result?.error !== undefined) throw new Error(result.error);
  const rows = result?.series ?? [];
  if (rows.length === 0) return [];
  return asked.format === "table" ? [tableFrame(rows)] : rows.flatMap((row) => seriesFrames(row, asked));
}

function tableFrame(rows: readonly Row[]): Frame {
  const [first] = rows as readonly [Row, ...Row[]];
  const column = (index: number): Field["values"] =>
    rows.flatMap((row) => (row.values ?? []).map((values) => values[index] ?? null));
  const fields = first.columns.map((name, index): Field => {
    const values = column(index);
    return name === "time" && index === 0
      ? { name: "Time", type: "time", values }
      : { name, type: typeOf(values), values, displayName: name };
  });
  const tags = Object.keys(first.tags ?? {}).map((key): Field => ({
    name: key,
    type: "string",
    values: rows.flatMap((row) => (row.values ?? []).map(() => row.tags?.[key] ?? "")),
    displayName: key,
  }));
  const [head, ...rest] = fields as [Field, ...Field[]];
  return { name: first.name ?? "", fields: [head, ...tags, ...rest] };
}

function seriesFrames(row: Row, asked: Pick<Asked, "alias" | "influxql" | "interval_ms">): Frame[] {
  const values = row.values ?? [];
  if (!row.columns.includes("time")) {
    const index = /show tag values/i.test(asked.influxql) ? 1 : 0;
    const strings = values.map((each) => String(each[index]));
    return [{ name: row.name ?? "", fields: [{ name: "Value", type: "string", values: strings }] }];
  }
  const times: Field = { name: "Time", type: "time", values: values.map((each) => each[0] ?? null) };
  return row.columns.slice(1).map((column, index) => {
    const list = values.map((each) => each[index + 1] ?? null);
    const name = frameName(row, column, asked.alias);
    return {
      name,
      fields: [times, { name: "Value", type: typeOf(list), values: list, labels: row.tags ?? {}, displayName: name }],
    };
  });
}

function frameName(row: Row, column: string, alias: string): string {
  if (alias === "") {
    const tags = Object.entries(row.tags ?? {}).map(([key, value]) => `${key}: ${value}`);
    return `${row.name}.${column}${tags.length > 0 ? ` { ${tags.join(", ")} }` : ""}`;
  }
  return alias.replaceAll(/\$(\w+)|\[\[([\s\S]+?)\]\]/g, (match, plain?: string, squared?: string) => {
    const name = plain ?? squared ?? "";
    if (name === "m" || name === "measurement") return row.name ?? "";
    if (name === "col") return column;
    return name.startsWith("tag_") ? (row.tags?.[name.slice(4)] ?? match) : match;
  });
}

function typeOf(values: Field["values"]): Field["type"] {
  const first = values.find((value) => value !== null);
  return typeof first === "string" ? "string" : typeof first === "boolean" ? "boolean" : "number";
}
