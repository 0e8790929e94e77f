import type { AnswerForm, FieldValue, ResultSeries, StatementResult } from "./engine.ts";
import { quoted } from "./json-text.ts";

/** In what a time is told: RFC 3339 when nothing was asked for, else a whole number of this unit. */
export const EPOCHS = {
  ns: 1n,
  n: 1n,
  u: 1000n,
  µ: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
} as const;

/** The whole body of an answer; a chunked one is its pieces, each with its closing line feed. */
export function answerText(results: readonly StatementResult[], form: AnswerForm): string {
  const header: CsvHeader = { statement: -1, columns: [] };
  const write = (each: readonly PieceOfResult[]): string => (form.csv ? csv(each, form, header) : json(each, form));
  if (form.chunk_rows === undefined) return write(results);
  let out = "";
  for (const piece of pieces(results, form.chunk_rows)) out += write([piece]);
  return out;
}

/** A statement's result, or a piece of it of which more follows. */
interface PieceOfResult extends Omit<StatementResult, "series"> {
  readonly series: readonly (ResultSeries & { readonly partial?: boolean })[];
  readonly partial?: boolean;
}

/** Results cut to pieces of at most `rows` rows, each of one series: what a chunked answer sends one by one. */
function* pieces(results: readonly StatementResult[], rows: number): Generator<PieceOfResult> {
  for (const result of results) {
    if (result.series.length === 0) yield result;
    for (const [index, series] of result.series.entries()) {
      const isLastSeries = index === result.series.length - 1;
      const { name, tags, columns, types, values } = series;
      for (let from = 0; from === 0 || from < values.length; from += rows) {
        const more = from + rows < values.length;
        const piece = { name, tags, columns, types, values: values.slice(from, from + rows) };
        yield {
          statement: result.statement,
          series: [more ? { ...piece, partial: true } : piece],
          ...(result.messages && { messages: result.messages }),
          ...((more || !isLastSeries) && { partial: true }),
          ...(isLastSeries && !more && result.error !== undefined && { error: result.error }),
        };
      }
    }
  }
}

/** What a refused request gets, in the form that it asked for. */
export function errorText(error: string, form: Pick<AnswerForm, "csv" | "pretty">): string {
  if (form.csv) return `error\n${cell(error)}\n`;
  return form.pretty ? `{\n    "error": ${quoted(error)}\n}\n` : `{"error":${quoted(error)}}\n`;
}

function json(results: readonly PieceOfResult[], form: AnswerForm): string {
  const text = `{"results":[${results.map((each) => resultJson(each, form)).join(",")}]}`;
  return `${form.pretty ? indented(text) : text}\n`;
}

function resultJson(result: PieceOfResult, form: AnswerForm): string {
  let text = `{"statement_id":${result.statement}`;
  if (result.series.length > 0) text += `,"series":[${seriesJson(result.series, form)}]`;
  if (result.messages !== undefined && result.messages.length > 0) {
    const told = result.messages.map(({ level, text }) => `{"level":${quoted(level)},"text":${quoted(text)}}`);
    text += `,"messages":[${told.join(",")}]`;
  }
  if (result.partial === true) text += `,"partial":true`;
  if (result.error !== undefined) text += `,"error":${quoted(result.error)}`;
  return `${text}}`;
}

/** What many series have in common is put together once. */
function seriesJson(all: PieceOfResult["series"], form: AnswerForm): string {
  const timeText = timeWriter(form.epoch_ns);
  const leadsOf = leadsWriter(timeText);
  let head: Pick<ResultSeries, "name" | "columns"> | undefined;
  let name = "";
  let columns = "";
  let out = "";
  for (const series of all) {
    if (series.name !== head?.name || series.columns !== head.columns) {
      head = { name: series.name, columns: series.columns };
      name = series.name === "" ? "{" : `{"name":${quoted(series.name)},`;
      columns = `"columns":[${series.columns.map(quoted).join(",")}]`;
    }
    const tags = series.tagsText ?? tagsJson(series.tags ?? {});
    out += out === "" ? name : `,${name}`;
    if (tags !== "{}") {
      out += '"tags":';
      out += tags;
      out += ",";
    }
    out += columns;
    const { points } = series;
    if (points !== undefined && points.values.length > 0) {
      const { times, values } = points;
      const leads = leadsOf(times);
      out += ',"values":[';
      for (let index = 0; index < values.length; index++) {
        out += leads[index] as string;
        out += valueJson(values[index] ?? null);
      }
      out += "]]";
    } else if (points === undefined && series.values.length > 0) {
      out += ',"values":[';
      out += rowsText(series, timeText);
      out += "]";
    }
    out += series.partial === true ? ',"partial":true}' : "}";
  }
  return out;
}

function tagsJson(tags: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, value]) => `${quoted(key)}:${quoted(value)}`).join(",")}}`;
}

type WriteValue = (value: FieldValue | null) => string;

function rowsText({ types, values }: ResultSeries, timeText: WriteValue): string {
  const write = types.map((type) => (type === "time" ? timeText : valueJson));
  let rows = "";
  for (const row of values) {
    rows += rows === "" ? "[" : ",[";
    for (let index = 0; index < row.length; index++) {
      if (index > 0) rows += ",";
      rows += (write[index] ?? valueJson)(row[index] ?? null);
    }
    rows += "]";
  }
  return rows;
}

/**
 * Writes what stands before each value where one stands beside the time, series by series: the times of one are mostly
 * those of the one before.
 */
function leadsWriter(timeText: WriteValue): (times: readonly bigint[]) => readonly string[] {
  let known: readonly bigint[] = [];
  let leads: string[] = [];
  return (times) => {
    if (times === known) return leads;
    if (times.length === 1) return [`[${timeText(times[0] as bigint)},`];
    const found: string[] = [];
    let place = 0;
    for (const time of times) {
      while (place < known.length && (known[place] as bigint) < time) place++;
      const isKnown = place > 0 && found.length > 0 && known[place] === time;
      found.push(isKnown ? (leads[place] as string) : `${found.length === 0 ? "[" : "],["}${timeText(time)},`);
    }
    known = times;
    leads = found;
    return found;
  };
}

function valueJson(value: FieldValue | null): string {
  if (typeof value === "string") return quoted(value);
  return typeof value === "number" ? numberText(value) : String(value);
}

/** Writes times; the last one again as it was written: many series have the same ones. */
function timeWriter(epoch_ns: bigint | undefined): WriteValue {
  const write = (at_ns: bigint): string => (epoch_ns === undefined ? `"${rfc3339(at_ns)}"` : String(at_ns / epoch_ns));
  let known: bigint | undefined;
  let text = "";
  return (value) => {
    if (typeof value !== "bigint") return valueJson(value);
    if (value !== known) {
      known = value;
      text = write(value);
    }
    return text;
  };
}

/** RFC 3339 in UTC with as many digits of the second as it needs: `2026-01-02T03:04:05.6Z`. */
function rfc3339(at_ns: bigint): string {
  const second = at_ns >= 0n ? at_ns / 1_000_000_000n : -((-at_ns + 999_999_999n) / 1_000_000_000n);
  const rest = at_ns - second * 1_000_000_000n;
  const whole = new Date(Number(second) * 1000).toISOString().slice(0, -5);
  return rest === 0n ? `${whole}Z` : `${whole}.${String(rest).padStart(9, "0").replace(/0+$/, "")}Z`;
}

const numberText = (value: number): string =>
  Object.is(value, -0) ? "-0" : Number.isFinite(value) ? String(value) : "null";

/** JSON of ours with line breaks and four spaces, without reading its numbers: they may be longer than a double holds. */
function indented(text: string): string {
  let out = "";
  let depth = 0;
  const line = (): string => `\n${"    ".repeat(depth)}`;
  for (let index = 0; index < text.length; index++) {
    const letter = text[index] as string;
    if (letter === '"') {
      const end = endOfString(text, index);
      out += text.slice(index, end);
      index = end - 1;
    } else if (letter === "{" || letter === "[") {
      depth++;
      out += letter + line();
    } else if (letter === "}" || letter === "]") {
      depth--;
      out += line() + letter;
    } else if (letter === ",") out += letter + line();
    else if (letter === ":") out += ": ";
    else out += letter;
  }
  return out;
}

function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === "\\" ? 2 : 1;
  return index + 1;
}

/** The columns that the last line of headings named, over the pieces of one CSV answer. */
interface CsvHeader {
  statement: number;
  columns: readonly string[];
}

function csv(results: readonly PieceOfResult[], form: AnswerForm, header: CsvHeader): string {
  let out = "";
  for (const { statement, series } of results) {
    const [first] = series;
    if (first === undefined) continue;
    for (const each of series) {
      const isNew = statement !== header.statement || each.columns.join("\0") !== header.columns.join("\0");
      if (isNew) {
        if (header.statement >= 0) out += "\n";
        header.statement = statement;
        header.columns = each.columns;
        out += `${["name", "tags", ...each.columns].map(cell).join(",")}\n`;
      }
      const tags = Object.entries(each.tags ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([, value]) => value !== "")
        .map(([key, value]) => `${escaped(key)}=${escaped(value)}`)
        .join(",");
      const lead = `${cell(each.name)},${cell(tags)}`;
      for (const row of each.values) {
        out += lead;
        for (const [index, value] of row.entries()) {
          const isTime = each.types[index] === "time" && typeof value === "bigint";
          out += `,${isTime ? String(value / (form.epoch_ns ?? 1n)) : cell(plain(value))}`;
        }
        out += "\n";
      }
    }
  }
  return out;
}

/** As line protocol writes a tag. */
const escaped = (text: string): string => text.replace(/[,= ]/g, "\\$&");

function plain(value: FieldValue | null): string {
  if (value === null) return "";
  return typeof value === "number" ? decimal(value) : String(value);
}

/** A float without an exponent, as short as reads back the same. */
function decimal(value: number): string {
  const text = numberText(value);
  const found = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (found === null) return text;
  const [, sign, digit, digits = "", exponent] = found;
  const power = Number(exponent);
  const all = `${digit}${digits}`;
  if (power >= 0) return `${sign}${all.padEnd(power + 1, "0")}`;
  return `${sign}0.${"0".repeat(-power - 1)}${all}`;
}

/** A cell as Go's encoding/csv quotes it. */
const cell = (text: string): string =>
  /[",\r\n]/.test(text) || /^[\s]/.test(text) || text === "\\." ? `"${text.replaceAll('"', '""')}"` : text;
