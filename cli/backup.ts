import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Fault, type Language } from "#protocol/faults.ts";
import { backUp, type Manifest, restore as restoreBackup } from "#server/backup.ts";
import { FILES } from "#server/main.ts";
import { systemClock } from "#server/ports/clock.ts";
import { duckdbStore } from "#server/store/duckdb.ts";
import { askServer, claimed } from "./beside.ts";
import { type DataDirectory, FORMAT } from "./directory.ts";
import type { Call } from "./verb.ts";
import { version } from "./version.ts";

/** Writes all that is in a data directory into another one, whether a server uses it or not. */
export async function backup({ settings, terminal }: Call<"data" | "to" | "json">): Promise<number> {
  const words = WORDS[terminal.language];
  const to = directoryOf(settings.to, "--to");
  const data = resolve(settings.data);
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
  for await (const line of askServer(data, { to })) {
    if ("share" in line) progress(line.share);
    else if ("written" in line) return line.written;
  }
  return false;
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
