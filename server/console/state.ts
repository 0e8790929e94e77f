import type {
  Alarm,
  Container,
  Junction,
  LampLevels,
  Now,
  Override,
  RoundDetail,
  Session,
  Town,
} from "../api/resources.ts";
import { read, Refusal } from "./api.ts";
import { cell } from "./cell.ts";
import { showTimesIn } from "./format.ts";
import { sinceOpened } from "./pageClock.ts";

/** The one store of state of the page: what the server said last, whoever asked. Views draw from it, the stream fills it. */
export interface Lamp {
  readonly level: number | null;
  /** Index into LAMP_RULES of protocol/kinds.ts. */
  readonly rule: number | null;
}

export const session = cell<Session | null | undefined>(undefined);
export const town = cell<Town | undefined>(undefined);
export const now = cell<Now | undefined>(undefined);
export const alarms = cell<readonly Alarm[]>([]);
export const junctions = cell<readonly Junction[]>([]);
export const containers = cell<readonly Container[]>([]);
/** The rounds whose way the map shows. */
export const ways = cell<readonly RoundDetail[]>([]);
export const overrides = cell<readonly Override[]>([]);
/** Since when the server has not answered, in the town's time; undefined: it answers. */
export const silentSince = cell<number | undefined>(undefined);
/** A sentence for whoever hears the page instead of seeing it. */
export const said = cell("");
/** Counts what the stream brought, so that lists that the page does not hold are read again. */
export const stirred = cell({ decisions: 0, overrides: 0, everything: 0 });

/** Lamps change many times a second: one map, changed in place, and who draws it is told which. */
export const lamps = new Map<string, Lamp>();
const lampListeners = new Set<(ids: readonly string[]) => void>();
export function watchLamps(listener: (ids: readonly string[]) => void): () => void {
  lampListeners.add(listener);
  return () => lampListeners.delete(listener);
}
export function setLamps(columns: LampLevels): void {
  columns.ids.forEach((id, index) => {
    lamps.set(id, { level: columns.levels[index] ?? null, rule: columns.rules[index] ?? null });
  });
  for (const listener of lampListeners) listener(columns.ids);
}

/** The server's time when it was last heard, against the page's own: the town may run faster than a clock. */
let heard = { at: 0, opened: 0 };
let speed = 1;
export function hear(at: number): void {
  const opened = sinceOpened();
  const passed = opened - heard.opened;
  if (heard.at > 0 && passed > 2000) {
    const measured = (at - heard.at) / passed;
    // Jitter of the network is no change of speed.
    speed = Math.abs(measured - 1) < 0.2 ? 1 : Math.max(0, measured);
  }
  heard = { at, opened };
}
/** The town's time now, ms since 1970 UTC. */
export const townTime = (): number => (heard.at === 0 ? 0 : heard.at + (sinceOpened() - heard.opened) * speed);

let reading: Promise<void> | undefined;

/** Reads everything that the page always shows; who asks while it is being read shares the answer. Raises Refusal. */
export function readAll(): Promise<void> {
  reading ??= readEverything().finally(() => {
    reading = undefined;
  });
  return reading;
}

async function readEverything(): Promise<void> {
  if (town.get() === undefined) {
    const given = await read<Town>("/town");
    showTimesIn(given.timeZone);
    town.set(given);
  }
  const figures = await read<Now>("/now");
  hear(figures.at);
  now.set(figures);
  silentSince.set(undefined);
  if (figures.state !== "ready") return;
  await Promise.all([readAlarms(), readJunctions(), readOverrides(), readContainers(), readLamps()]);
}

/** Reads the four sentences again; says when nobody answers. */
export async function readNow(): Promise<void> {
  try {
    const figures = await read<Now>("/now");
    hear(figures.at);
    const wasPreparing = now.get()?.state === "preparing";
    now.set(figures);
    if (silentSince.get() !== undefined || (wasPreparing && figures.state === "ready")) await readAll();
  } catch (problem) {
    noticeSilence(problem);
  }
}

/** Keeps the moment at which the server fell silent; signs out when the session is over. */
export function noticeSilence(problem: unknown): void {
  if (!(problem instanceof Refusal)) throw problem as Error;
  if (problem.status === 401) session.set(null);
  else if (problem.status === 0 && silentSince.get() === undefined) silentSince.set(townTime());
}

export async function readAlarms(): Promise<void> {
  alarms.set((await read<{ entries: Alarm[] }>("/alarms?limit=500")).entries);
}
export async function readJunctions(): Promise<void> {
  junctions.set(await read<Junction[]>("/junctions"));
}
export async function readContainers(): Promise<void> {
  containers.set(await read<Container[]>("/containers"));
}
export async function readOverrides(): Promise<void> {
  overrides.set((await read<{ entries: Override[] }>("/overrides?state=active&limit=500")).entries);
}
export async function readLamps(at?: number): Promise<void> {
  setLamps(await read<LampLevels>(at === undefined ? "/lamps/levels" : `/lamps/levels?at=${Math.round(at)}`));
}

/** Alarms that a person still has to do something about. */
export const wanting = (all: readonly Alarm[]): Alarm[] =>
  all.filter((alarm) => alarm.state !== "resolved" && alarm.state !== "closed");

/** Whether the signed-in person may give orders. */
export const mayAct = (who: Session | null | undefined): boolean =>
  who?.role === "operator" || who?.role === "administrator";
export const mayRule = (who: Session | null | undefined): boolean => who?.role === "administrator";

/** Replaces the entry with the same id, or puts it first. */
export function withEntry<T extends { readonly id: string }>(entries: readonly T[], entry: T): readonly T[] {
  const index = entries.findIndex((each) => each.id === entry.id);
  return index < 0 ? [entry, ...entries] : entries.with(index, entry);
}
