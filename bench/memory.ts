import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process and all its descendants, in bytes, from Linux's /proc; undefined where there is none. */
export function residentBytes(root: number): number | undefined {
  const children = new Map<number, number[]>();
  const resident = new Map<number, number>();
  for (const entry of processes()) {
    const status = statusOf(entry);
    if (status === undefined) continue;
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
    // A process that is just ending has no VmRSS any more.
    resident.set(entry, Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    children.set(parent, [...(children.get(parent) ?? []), entry]);
  }
  if (!resident.has(root)) return undefined;
  let sum = 0;
  const open = [root];
  for (let process = open.pop(); process !== undefined; process = open.pop()) {
    sum += resident.get(process) ?? 0;
    open.push(...(children.get(process) ?? []));
  }
  return sum;
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function statusOf(process: number): string | undefined {
  try {
    return readFileSync(`/proc/${process}/status`, "utf8");
  } catch {
    return undefined;
  }
}
