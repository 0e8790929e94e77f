import { appendFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "#protocol/faults.ts";

/** The exit code of a mistake of our own: EX_SOFTWARE of BSD's sysexits.h. */
export const MISTAKE = 70;

/** Where traces go: the data directory of those who have one, else the place for temporary files. */
export function tracesIn(directory: string | undefined): string {
  return join(directory !== undefined && existsSync(directory) ? directory : tmpdir(), "vigie-traces.txt");
}

/**
 * Keeps the trace of what nobody foresaw for those who mend it, and returns what to tell those who were struck.
 * With VIGIE_DEBUG=1 the trace is in the sentence too.
 */
export function mistake(problem: unknown, traces: string): Fault {
  const trace = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
  const [text = ""] = (problem instanceof Error ? problem.message : String(problem)).split("\n");
  let file = traces;
  try {
    appendFileSync(traces, `${new Date().toISOString()} ${trace}\n`);
  } catch {
    file = "–";
  }
  return new Fault("MISTAKE", { problem: process.env["VIGIE_DEBUG"] === "1" ? trace : text, file });
}
