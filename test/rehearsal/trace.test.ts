import { expect, test } from "vitest";
import type { ScheduledFault } from "#simulators/faults.ts";
import { evening, HAMLET } from "./hamlet.ts";

/** What a stranger would write who has read docs/rehearsal.md and has only the file. */
function energyOf(ndjson: string): number {
  const lines = ndjson
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const until = lines.find((line) => line.what === "rehearsal").until;
  const lamps = new Map<string, { at: number; from_W: number; power_W: number; fade_s: number }>();
  let joules = 0;
  const close = (lamp: string, at: number): void => {
    const course = lamps.get(lamp);
    if (course === undefined) return;
    const lasted_s = Math.max(0, Math.min(at, until) - course.at) / 1000;
    const fading_s = Math.min(lasted_s, course.fade_s);
    const share = course.fade_s > 0 ? fading_s / course.fade_s : 1;
    const reached_W = course.from_W + (course.power_W - course.from_W) * share;
    joules += ((course.from_W + reached_W) / 2) * fading_s + course.power_W * (lasted_s - fading_s);
  };
  for (const line of lines.filter(({ what }) => what === "level")) {
    close(line.lamp, line.at);
    lamps.set(line.lamp, line);
  }
  for (const lamp of lamps.keys()) close(lamp, until);
  return joules / 3.6e6;
}

test("the energy of a night follows from the trace alone, within a thousandth", async () => {
  const faults: ScheduledFault[] = [
    { kind: "lamp-failed", at_s: 7200, for_s: 3600, target: "L03" },
    { kind: "lamp-failed", at_s: 9000, for_s: 3600, target: "L03" },
    { kind: "broker-gone", at_s: 14_400, for_s: 3600 },
  ];
  let ndjson = "";
  const { result } = await evening({
    hours: 14,
    faults,
    trace: (line) => void (ndjson += `${JSON.stringify(line)}\n`),
  });
  expect(result.energy_kWh).toBeGreaterThan(2);
  expect(Math.abs(energyOf(ndjson) / result.energy_kWh - 1)).toBeLessThan(0.001);
});

test("the trace names the town's time, every lamp from the first moment, and every fault with its beginning and end", async () => {
  const lines: Record<string, unknown>[] = [];
  const faults: ScheduledFault[] = [{ kind: "network-cut", at_s: 600, for_s: 60, target: "S-L01" }];
  await evening({ hours: 1, faults, trace: (line) => lines.push(line) });
  expect(lines[0]).toMatchObject({ what: "rehearsal", seed: 1, hours: 1 });
  const first = lines.filter(({ what, at }) => what === "level" && at === lines[0]?.["at"]).map(({ lamp }) => lamp);
  expect(new Set(first)).toEqual(new Set(HAMLET.luminaires.map(({ id }) => id)));
  expect(
    lines.filter(({ what }) => what === "fault").map(({ kind, begins, target }) => [kind, begins, target]),
  ).toEqual([
    ["network-cut", true, "S-L01"],
    ["network-cut", false, "S-L01"],
  ]);
});
