import { LAMP_RULES, SIGNAL_MODES } from "#protocol/kinds.ts";
import type { Territory } from "#protocol/territory.ts";

type Read = (device: string, measure: string) => number | undefined;

/** What can be said from the newest values alone; null where nobody has said anything yet. */
export interface Moment {
  readonly power_W: number | null;
  readonly lampsLit: number | null;
  readonly peopleLit: number | null;
  readonly failed: number | null;
  readonly over80: number | null;
  readonly fullest: { readonly id: string; readonly fill: number } | null;
  readonly longestWait_s: number | null;
  readonly longestWaitAt: string | null;
  readonly queued: number | null;
  readonly degraded: number | null;
}

/** The figures of one moment, from a way to read each device's value then. */
export function momentOf({ luminaires, containers, junctions }: Territory, read: Read): Moment {
  const all = (features: readonly { readonly id: string }[], measure: string) =>
    features.flatMap(({ id }): Value[] => {
      const value = read(id, measure);
      return value === undefined ? [] : [{ id, value }];
    });
  const fills = all(containers, "fill");
  const fullest = largest(fills);
  const wait = largest(all(junctions, "longest_wait_s"));
  return {
    power_W: sum(all(luminaires, "power_W")),
    lampsLit: count(all(luminaires, "level"), (level) => level > 0),
    peopleLit: count(all(luminaires, "rule"), (rule) => LAMP_RULES[rule] === "presence"),
    failed: count(all(luminaires, "failed"), (failed) => failed === 1),
    over80: count(fills, (fill) => fill > 0.8),
    fullest: fullest === undefined ? null : { id: fullest.id, fill: fullest.value },
    longestWait_s: wait?.value ?? null,
    longestWaitAt: wait?.id ?? null,
    queued: sum(all(junctions, "queue")),
    degraded: count(all(junctions, "mode"), (mode) => SIGNAL_MODES[mode] !== "adaptive"),
  };
}

interface Value {
  readonly id: string;
  readonly value: number;
}

const count = (values: readonly Value[], holds: (value: number) => boolean): number | null =>
  values.length === 0 ? null : values.filter(({ value }) => holds(value)).length;
const sum = (values: readonly Value[]): number | null =>
  values.length === 0 ? null : values.reduce((total, { value }) => total + value, 0);
const largest = (values: readonly Value[]): Value | undefined =>
  values.reduce<Value | undefined>(
    (most, each) => (most === undefined || each.value > most.value ? each : most),
    undefined,
  );
