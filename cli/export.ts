import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Fault, type Language } from "#protocol/faults.ts";
import { type Instant, instant } from "#protocol/units.ts";
import { FILES } from "#server/main.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import type { ExportQuery } from "#server/store/export.ts";
import { askServer, claimed } from "./beside.ts";
import type { DataDirectory } from "./directory.ts";
import type { Settings } from "./settings.ts";
import type { Call } from "./verb.ts";

type ExportSetting = "data" | "format" | "from" | "to" | "device" | "out" | "json";

/** Writes the readings of a span into a file, whether a server uses the data directory or not. */
export async function exportReadings({ settings, terminal }: Call<ExportSetting>): Promise<number> {
  const { out, json } = settings;
  if (out === undefined) throw invalid("--out", "missing", "a file");
  const query = queryOf(settings);
  const file = resolve(out);
  const data = resolve(settings.data);
  const held = claimed(data);
  try {
    const rows = held === undefined ? await fromServer(data, query, file) : await fromFile(held, query, file);
    if (json) terminal.out(JSON.stringify({ file, rows }));
    else terminal.out(WORDS[terminal.language](rows, file));
    return 0;
  } finally {
    held?.release();
  }
}

function queryOf({ format, from, to, device }: Settings<ExportSetting>): ExportQuery {
  const devices = device?.split(",").filter((each) => each !== "");
  return {
    format,
    from: from === undefined ? instant(0) : timeOf(from, "--from"),
    to: to === undefined ? instant(LATEST) : timeOf(to, "--to"),
    ...(devices && { devices }),
  };
}

/** The last millisecond of the year 9999: ISO 8601 has four digits for a year. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function timeOf(text: string, option: string): Instant {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw invalid(option, text, "a time like 2026-03-02 or 2026-03-02T12:00:00Z");
  return instant(at);
}

async function fromFile(directory: DataDirectory, query: ExportQuery, out: string): Promise<number> {
  const file = directory.file(FILES.readings);
  if (!existsSync(file)) throw new Fault("FILE_MISSING", { file });
  const store = duckdbStore(file);
  try {
    await store.open();
    return await store.exportTo(query, out);
  } finally {
    await store.close();
  }
}

async function fromServer(data: string, query: ExportQuery, to: string): Promise<number> {
  let rows = 0;
  for await (const line of askServer(data, { to, export: query })) if ("rows" in line) rows = line.rows;
  return rows;
}

const invalid = (option: string, found: string, expected: string): Fault =>
  new Fault("OPTION_INVALID", { option, found, expected, place: "the command line" });

const WORDS: Record<Language, (rows: number, file: string) => string> = {
  en: (rows, file) => `${new Intl.NumberFormat("en").format(rows)} readings in ${file}`,
  fr: (rows, file) => `${new Intl.NumberFormat("fr").format(rows)} mesures dans ${file}`,
};
