import type { Registry } from "../registry.ts";

/** How much a counter grew since it was last asked about; 0 the first time, and where it began anew. */
export function growthOf(registry: Pick<Registry, "value">): (device: string, measure: string) => number {
  const counted = new Map<string, number>();
  return (device, measure) => {
    const value = registry.value(device, measure);
    if (value === undefined) return 0;
    const key = `${device} ${measure}`;
    const before = counted.get(key);
    counted.set(key, value);
    return before === undefined || value < before ? 0 : value - before;
  };
}
