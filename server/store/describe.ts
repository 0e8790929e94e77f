import type { Territory } from "#protocol/territory.ts";

/** How a device is seen by what thinks in measurements and tags: its kind, and where in the town it belongs. */
export interface Description {
  readonly measurement: string;
  /** Sorted by key, `device` among them; no tag is empty. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Undefined for a device that the territory does not have (any more): a store then goes by the tags it had last. */
export type Describe = (device: string) => Description | undefined;

/** Describes every device of a territory: tags `device`, `station`, and what is known of `group`, `junction`, `stream`, `street`, `zone`. */
export function describeDevices(territory: Territory): Describe {
  const groups = new Map([...territory.detectors, ...territory.buttons].map((each) => [each.id, each.group]));
  const streams = new Map(territory.containers.map((each) => [each.id, each.stream]));
  const descriptions = new Map<string, Description>();
  for (const { id, kind, station, junction, street, zone } of territory.devices.values()) {
    const tags: Record<string, string> = { device: id };
    const add = (key: string, value: string | undefined): void => {
      if (value !== undefined && value !== "") tags[key] = value;
    };
    add("group", groups.get(id));
    add("junction", junction);
    add("station", station);
    add("stream", streams.get(id));
    add("street", street);
    add("zone", zone);
    descriptions.set(id, { measurement: kind, tags });
  }
  return (device) => descriptions.get(device);
}
