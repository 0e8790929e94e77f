import { closeSync, openSync, writeSync } from "node:fs";
import { Fault } from "#protocol/faults.ts";
import { instant } from "#protocol/units.ts";
import { rehearse as rehearsal, type RehearsalResult } from "#rehearsal/rehearse.ts";
import type { TraceLine } from "#rehearsal/street.ts";
import { parseFaults } from "#simulators/faults.ts";
import type { Terminal } from "./terminal.ts";
import { generatedTown, readTown } from "./territory.ts";
import type { Call } from "./verb.ts";

/** A Monday in March, at one in the afternoon in France. */
const FROM = "2026-03-02T12:00:00Z";

/** Runs server and town on virtual time and says what held; 1 when an invariant was broken. */
export async function rehearse({
  settings,
  terminal,
  sources,
}: Call<"seed" | "hours" | "from" | "territory" | "faults" | "trace" | "json">): Promise<number> {
  const { territory } =
    settings.territory === undefined ? generatedTown({ seed: settings.seed }) : readTown(settings.territory);
  const from = Date.parse(settings.from ?? FROM);
  if (!Number.isFinite(from)) {
    throw new Fault("OPTION_INVALID", {
      option: "--from",
      found: settings.from ?? FROM,
      expected: "a time like 2026-03-02T12:00:00Z",
      place: "the command line",
    });
  }
  const faults = settings.faults === undefined ? [] : parseFaults(jsonIn(settings.faults, sources.readFile), territory);
  const trace = settings.trace === undefined ? undefined : traceTo(settings.trace);
  const { result } = await rehearsal({
    territory,
    seed: settings.seed,
    from: instant(from),
    hours: settings.hours,
    faults,
    ...(trace && { trace: (line) => trace.write(line) }),
    progress: (share) =>
      settings.json || terminal.progress(Math.min(share, 0.999), `${Math.floor(share * settings.hours)} h`),
  });
  trace?.close();
  if (settings.json) terminal.out(JSON.stringify(result));
  else {
    terminal.progress(1, `${settings.hours} h`);
    terminal.out(inWords(result, terminal));
  }
  return Object.values(result.violations).some((count) => count > 0) ? 1 : 0;
}

function jsonIn(file: string, readFile: (name: string) => string): unknown {
  const text = readFile(file);
  try {
    return JSON.parse(text);
  } catch (problem) {
    throw new Fault("OPTION_INVALID", {
      option: "--faults",
      found: file,
      expected: `JSON (${(problem as Error).message})`,
      place: file,
    });
  }
}

/** Lines are gathered to a quarter of a megabyte before they are written. */
const TRACE_B = 262_144;

function traceTo(file: string): { write(line: TraceLine): void; close(): void } {
  let descriptor: number;
  try {
    descriptor = openSync(file, "w");
  } catch (problem) {
    throw new Fault("DISK_FAILED", { file, problem: (problem as Error).message });
  }
  let text = "";
  const flush = (): void => {
    if (text !== "") writeSync(descriptor, text);
    text = "";
  };
  return {
    write(line) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length > TRACE_B) flush();
    },
    close() {
      flush();
      closeSync(descriptor);
    },
  };
}

function inWords(result: RehearsalResult, { language }: Terminal): string {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const french = language === "fr";
  const broken = Object.entries(result.violations).filter(([, count]) => count > 0);
  const rows = [
    [french ? "heures simulées" : "simulated hours", number.format(result.hours)],
    [french ? "mesures acquittées" : "readings acknowledged", number.format(result.acknowledged)],
    [french ? "mesures stockées" : "readings stored", number.format(result.stored)],
    [french ? "perdues" : "lost", number.format(result.lost)],
    [french ? "en double" : "duplicated", number.format(result.duplicated)],
    [french ? "décisions" : "decisions", number.format(result.decisions)],
    [french ? "énergie" : "energy", `${number.format(result.energy_kWh)} kWh`],
    [french ? "temps réel" : "wall time", `${number.format(result.wall_s)} s`],
    [french ? "journal" : "journal", result.journal_sha256],
    [
      french ? "invariants" : "invariants",
      broken.length === 0
        ? french
          ? "tous tenus"
          : "all held"
        : broken.map(([name, count]) => `${name} × ${count}`).join(", "),
    ],
  ];
  const width = Math.max(...rows.map(([name]) => (name as string).length));
  return [
    ...rows.map(([name, value]) => `  ${(name as string).padEnd(width)}  ${value}`),
    ...result.examples.map((text) => `  ${text}`),
  ].join("\n");
}
