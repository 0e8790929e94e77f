import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Fault, type FaultCode, type Language } from "#protocol/faults.ts";
import type { BackupLine } from "#server/api/backup.ts";
import { backUp, type Manifest, proofOf, restore as restoreBackup } from "#server/backup.ts";
import { FILES } from "#server/main.ts";
import { systemClock } from "#server/ports/clock.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { ADDRESS, claimDirectory, type DataDirectory, FORMAT } from "./directory.ts";
import type { Call } from "./verb.ts";
import { version } from "./version.ts";

/** Writes all that is in a data directory into another one, whether a server uses it or not. */
export async function backup({ settings, terminal }: Call<"data" | "to" | "json">): Promise<number> {
  const words = WORDS[terminal.language];
  const to = directoryOf(settings.to, "--to");
  const data = resolve(settings.data);
  // Taking a directory makes one where none is.
  if (!existsSync(join(data, "format"))) throw new Fault("FILE_MISSING", { file: join(data, "format") });
  const held = claimed(data);
  try {
    const manifest = await backUp({
      from: data,
      to,
      version,
      format: FORMAT,
      at: systemClock.now(),
      readings: (directory, progress) =>
        held === undefined ? fromServer(data, directory, progress) : fromFile(held, directory, progress),
      progress: (share) => {
        if (!settings.json) terminal.progress(share, words.saving);
      },
    });
    if (settings.json) terminal.out(JSON.stringify({ to, ...totals(manifest) }));
    else terminal.out(words.saved(to, totals(manifest), manifest.readingsElsewhere));
    return 0;
  } finally {
    held?.release();
  }
}

/** Lays a backup down as a new data directory. */
export async function restore({ settings, terminal }: Call<"data" | "from" | "json">): Promise<number> {
  const words = WORDS[terminal.language];
  const from = directoryOf(settings.from, "--from");
  const to = resolve(settings.data);
  const manifest = await restoreBackup({
    from,
    to,
    format: FORMAT,
    progress: (share) => {
      if (!settings.json) terminal.progress(share, words.restoring);
    },
  });
  if (settings.json) terminal.out(JSON.stringify({ to, ...totals(manifest) }));
  else terminal.out(words.restored(to, totals(manifest), new Date(manifest.at).toISOString()));
  return 0;
}

function directoryOf(given: string | undefined, option: string): string {
  if (given !== undefined) return resolve(given);
  throw new Fault("OPTION_INVALID", { option, found: "missing", expected: "a directory", place: "the command line" });
}

/** The directory for this process alone; undefined when a server has it. */
function claimed(data: string): DataDirectory | undefined {
  try {
    return claimDirectory(data);
  } catch (fault) {
    if (fault instanceof Fault && fault.code === "DATA_IN_USE") return undefined;
    throw fault;
  }
}

async function fromFile(directory: DataDirectory, to: string, progress: (share: number) => void): Promise<boolean> {
  const file = directory.file(FILES.readings);
  if (!existsSync(file)) return false;
  const store = duckdbStore(file);
  try {
    await store.open();
    await store.backUp(to, progress);
    return true;
  } finally {
    await store.close();
  }
}

/** DuckDB lets one process in, so the server that runs writes its readings itself. */
async function fromServer(data: string, to: string, progress: (share: number) => void): Promise<boolean> {
  let address = "?";
  const silent = (problem: string): Fault => new Fault("SERVER_SILENT", { directory: data, address, problem });
  let lines: AsyncIterable<BackupLine>;
  try {
    address = readFileSync(join(data, ADDRESS), "utf8").trim();
    const secret = readFileSync(join(data, FILES.keys, "secret"));
    const at = systemClock.now();
    const answer = await fetch(`${address}/api/v1/backup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ to, at, proof: proofOf(secret, to, at) }),
    });
    if (!answer.ok || answer.body === null) {
      const { detail = String(answer.status) } = (await answer.json()) as { detail?: string };
      throw silent(detail);
    }
    lines = linesOf(answer.body);
  } catch (problem) {
    if (problem instanceof Fault) throw problem;
    const { cause, message } = problem as Error;
    throw silent(cause instanceof Error ? cause.message : message);
  }
  for await (const line of lines) {
    if ("share" in line) progress(line.share);
    else if ("written" in line) return line.written;
    else throw new Fault(line.code as FaultCode, line.facts);
  }
  throw silent("it ended early");
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncIterable<BackupLine> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as BackupLine;
  }
}

interface Totals {
  readonly files: number;
  readonly bytes: number;
}
const totals = ({ files }: Manifest): Totals => ({
  files: files.length,
  bytes: files.reduce((sum, { size }) => sum + size, 0),
});

interface Words {
  readonly saving: string;
  readonly restoring: string;
  saved(to: string, totals: Totals, isElsewhere: boolean): string;
  restored(to: string, totals: Totals, at: string): string;
}

const megabytes = (bytes: number, language: Language): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bytes / 1e6);

const WORDS: Record<Language, Words> = {
  en: {
    saving: "backing up",
    restoring: "restoring",
    saved: (to, { files, bytes }, isElsewhere) =>
      `${files} files, ${megabytes(bytes, "en")} MB, in ${to}${isElsewhere ? ". The readings are in an InfluxDB, which has a backup of its own." : ""}`,
    restored: (to, { files, bytes }, at) =>
      `${files} files, ${megabytes(bytes, "en")} MB, as of ${at}, in ${to}: npx vigie start --data ${to}`,
  },
  fr: {
    saving: "sauvegarde",
    restoring: "restauration",
    saved: (to, { files, bytes }, isElsewhere) =>
      `${files} fichiers, ${megabytes(bytes, "fr")} Mo, dans ${to}${isElsewhere ? ". Les mesures sont dans un InfluxDB, qui a sa propre sauvegarde." : ""}`,
    restored: (to, { files, bytes }, at) =>
      `${files} fichiers, ${megabytes(bytes, "fr")} Mo, état du ${at}, dans ${to} : npx vigie start --data ${to}`,
  },
};
