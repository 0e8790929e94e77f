import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault, type FaultCode } from "#protocol/faults.ts";
import type { BackupLine } from "#server/api/backup.ts";
import { proofOf } from "#server/backup.ts";
import { FILES } from "#server/main.ts";
import { systemClock } from "#server/ports/clock.ts";
import { ADDRESS, claimDirectory, type DataDirectory } from "./directory.ts";

/**
 * A data directory for this process alone; undefined when a server has it, which can then be asked.
 * Raises Fault FILE_MISSING where none is, and those of claimDirectory.
 */
export function claimed(data: string): DataDirectory | undefined {
  // Taking a directory makes one where none is.
  if (!existsSync(join(data, "format"))) throw new Fault("FILE_MISSING", { file: join(data, "format") });
  try {
    return claimDirectory(data);
  } catch (fault) {
    if (fault instanceof Fault && fault.code === "DATA_IN_USE") return undefined;
    throw fault;
  }
}

/**
 * Asks the server that uses a data directory to write what it has to a place on this machine, and hears how far it is.
 * Raises Fault SERVER_SILENT, and what went wrong there.
 */
export async function* askServer(data: string, asked: { to: string; export?: object }): AsyncIterable<BackupLine> {
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
      body: JSON.stringify({ ...asked, at, proof: proofOf(secret, asked.to, at) }),
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
  let isDone = false;
  for await (const line of lines) {
    if ("code" in line) throw new Fault(line.code as FaultCode, line.facts);
    isDone = "written" in line || "rows" in line;
    yield line;
  }
  if (!isDone) throw silent("it ended early");
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
