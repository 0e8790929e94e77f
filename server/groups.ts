import { Fault } from "#protocol/faults.ts";
import type { Territory } from "#protocol/territory.ts";
import type { State } from "./state.ts";

/** Devices under one name: the lamps of a feeder, which the territory gives, or a group that a person has put together. */
export interface Group {
  readonly id: string;
  readonly name: string;
  readonly devices: readonly string[];
}

export interface Groups {
  get(id: string): Group | undefined;
  list(): Group[];
  /** Makes or replaces a group. Raises Fault NOT_FOUND (a device), CONFLICT (a feeder), TOO_MANY. */
  put(group: Group): void;
}

const MAX_GROUPS = 1000;

export function openGroups(state: State, territory: Territory): Groups {
  const groups = new Map<string, Group>();
  const feeders = new Map<string, string[]>();
  for (const { id, feeder } of territory.luminaires) {
    if (feeder === undefined) continue;
    const devices = feeders.get(feeder);
    if (devices === undefined) feeders.set(feeder, [id]);
    else devices.push(id);
  }
  for (const [id, devices] of feeders) groups.set(id, { id, name: id, devices });
  for (const row of state.all("SELECT * FROM device_groups ORDER BY id")) {
    const devices = (JSON.parse(String(row["devices"])) as string[]).filter((device) => territory.devices.has(device));
    const id = String(row["id"]);
    if (!feeders.has(id)) groups.set(id, { id, name: String(row["name"]), devices });
  }
  return {
    get: (id) => groups.get(id),
    list: () => [...groups.values()],
    put(group) {
      const { id, name, devices } = group;
      if (feeders.has(id))
        throw new Fault("CONFLICT", { thing: "group", id, action: "replaced", state: "a feeder of the territory" });
      const stranger = devices.find((device) => !territory.devices.has(device));
      if (stranger !== undefined) throw new Fault("NOT_FOUND", { thing: "device", id: stranger });
      if (groups.size >= MAX_GROUPS) throw new Fault("TOO_MANY", { thing: "groups", limit: MAX_GROUPS, retry_s: 60 });
      state.run("INSERT OR REPLACE INTO device_groups VALUES (?, ?, ?)", id, name, JSON.stringify(devices));
      groups.set(id, group);
    },
  };
}
