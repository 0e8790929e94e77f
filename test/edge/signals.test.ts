import { expect, test } from "vitest";
import type { Hardware } from "#edge/hardware/hardware.ts";
import { SIGNAL_MODES } from "#protocol/kinds.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";
import type { SignalGroup } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { crossing } from "#simulators/crossing.ts";
import type { JunctionAlone } from "#simulators/junction-alone.ts";
import { junctionAlone } from "#simulators/junction-alone.ts";
import { waitedOver } from "#simulators/waits.ts";

const START = instant(Date.UTC(2026, 2, 2));
const territory = parseTerritory(crossing());
const nobody = (): number => 0;
const busy = ({ kind, id }: SignalGroup): number => (kind === "pedestrian" ? 40 : /north|south/.test(id) ? 380 : 210);

const few = ({ kind }: SignalGroup): number => (kind === "pedestrian" ? 20 : 40);
const stuck = (hardware: Hardware): Hardware => ({
  ...hardware,
  read: (device, measure) => (device === "J1" ? hardware.read(device, measure) : 0),
  watch: () => undefined,
});
const silent = (hardware: Hardware): Hardware => ({ ...hardware, read: () => undefined, watch: () => undefined });

interface Given {
  rate?: (group: SignalGroup, at: number) => number;
  seed?: number;
  wire?: (hardware: Hardware) => Hardware;
  /** What the cabinet believes beside the truth, in ms. */
  clockError?: () => number;
  memory?: { load(): string | undefined; save(text: string): void };
  startAt?: Instant;
}

function cabinet(given: Given = {}) {
  const clock = virtualClock(given.startAt ?? START);
  const believed: Clock = {
    now: () => instant(clock.now() + (given.clockError?.() ?? 0)),
    after: (delay, action) => clock.after(delay, action),
  };
  const alone = junctionAlone({
    territory,
    junction: "J1",
    rate: given.rate ?? nobody,
    seed: given.seed ?? 1,
    clock,
    cabinetClock: believed,
    ...(given.wire !== undefined && { wire: given.wire }),
    ...(given.memory !== undefined && { memory: given.memory }),
  });
  alone.start();
  return { alone, clock, run: (s: number) => clock.run(instant(clock.now() + s * 1000)), mode: () => modeOf(alone) };
}

const modeOf = ({ behaviour }: JunctionAlone): string | undefined => SIGNAL_MODES[behaviour.read("mode") ?? -1];
const frameUntil = (until: number): OrderOf<"frame"> => ({
  action: "frame",
  cycle_s: 50,
  offset_s: 0,
  stages: [
    { stage: "ns", min_s: 6, target_s: 24, max_s: 36 },
    { stage: "ew", min_s: 6, target_s: 16, max_s: 26 },
  ],
  until,
});

function memory() {
  let text: string | undefined;
  return { load: () => text, save: (given: string) => void (text = given) };
}

function worst({ truth }: JunctionAlone): number {
  return Math.max(...truth.movements().map(({ waits }) => waits.worst_s), truth.longestWait_s(START));
}

test("without any server a junction runs its fixed plan", async () => {
  const { alone, run, mode } = cabinet();
  await run(120 + 10);
  expect([mode(), alone.behaviour.read("stage")]).toEqual(["fixed", 0]);
  // Cycle 60 s: ew from 33 to 55 s.
  await run(30);
  expect(alone.behaviour.read("stage")).toBe(1);
});

test("with a frame it adapts, and when the frame ends it goes back to its fixed plan", async () => {
  const { alone, run, mode } = cabinet({ rate: few });
  expect(alone.behaviour.obey(frameUntil(START + 600_000))).toBeUndefined();
  await run(300);
  expect(mode()).toBe("adaptive");
  await run(301);
  expect(mode()).toBe("fixed");
  expect(alone.violations).toEqual([]);
});

test("a frame and an override survive a restart of the cabinet", async () => {
  const kept = memory();
  const before = cabinet({ memory: kept });
  before.alone.behaviour.obey(frameUntil(START + HOUR));
  before.alone.behaviour.obey({ action: "signal-override", mode: "frame", until: START + 600_000 });
  await before.run(60);
  const after = cabinet({ rate: few, memory: kept, startAt: instant(START + 120_000) });
  await after.run(10);
  expect(after.mode()).toBe("frame");
  await after.run(600);
  expect(after.mode()).toBe("adaptive");
});

test("arrivals go on from what was counted when a cabinet begins anew, and claim none that nobody saw", async () => {
  const kept = memory();
  const before = cabinet({ memory: kept, rate: busy });
  await before.run(1800);
  const counted = ["arrivals_green", "arrivals_red"].map((measure) => before.alone.behaviour.read(measure));
  for (const each of counted) expect(each).toBeGreaterThan(100);
  before.alone.stop();
  const after = cabinet({ memory: kept, rate: busy });
  expect(["arrivals_green", "arrivals_red"].map((measure) => after.alone.behaviour.read(measure))).toEqual(counted);
  expect(after.alone.behaviour.read("split_failures")).toBe(before.alone.behaviour.read("split_failures"));
});

test("the counter of terminations never falls back, even when the power goes without a word", async () => {
  const kept = memory();
  const before = cabinet({ memory: kept, rate: busy });
  before.alone.behaviour.obey(frameUntil(START + HOUR));
  await before.run(1800);
  const counted = before.alone.behaviour.read("terminations") as number;
  expect(counted).toBeGreaterThan(20);
  const after = cabinet({ memory: kept });
  expect(after.alone.behaviour.read("terminations")).toBeGreaterThanOrEqual(counted);
});

test("a memory that cannot be read is left behind", async () => {
  const { run, mode } = cabinet({ memory: { load: () => "{half a", save: () => undefined } });
  await run(60);
  expect(mode()).toBe("fixed");
});

test("a person's override wins over the frame until it is released or ends", async () => {
  const { alone, run, mode } = cabinet({ rate: few });
  alone.behaviour.obey(frameUntil(START + HOUR));
  await run(60);
  alone.behaviour.obey({ action: "signal-override", mode: "fixed", until: START + 600_000 });
  await run(30);
  expect(mode()).toBe("fixed");
  alone.behaviour.obey({ action: "release" });
  await run(2);
  expect(mode()).toBe("adaptive");
  alone.behaviour.obey({ action: "signal-override", mode: "fixed", until: START + 200_000 });
  await run(10);
  expect(mode()).toBe("fixed");
  await run(200);
  expect(mode()).toBe("adaptive");
});

test("flashing on a person's order comes and goes without anything unsafe", async () => {
  const { alone, run, mode } = cabinet({ rate: busy });
  await run(100);
  alone.behaviour.obey({ action: "signal-override", mode: "flash", until: START + 400_000 });
  await run(60);
  expect([mode(), alone.behaviour.read("greens"), alone.behaviour.read("stage")]).toEqual(["flash", 0, -1]);
  await run(300);
  expect(mode()).toBe("fixed");
  expect(alone.behaviour.read("greens")).toBeGreaterThan(0);
  expect(alone.violations).toEqual([]);
});

test.each([
  ["a frame that has ended", frameUntil(START - 1), /already ended/],
  ["an override that has ended", { action: "signal-override", mode: "flash", until: START - 1 }, /already ended/],
  [
    "the frame as it is when there is none",
    { action: "signal-override", mode: "frame", until: START + HOUR },
    /no frame/,
  ],
  [
    "a stage that does not exist",
    { ...frameUntil(START + HOUR), stages: [{ stage: "x", min_s: 6, target_s: 8, max_s: 9 }] },
    /does not have/,
  ],
  [
    "a share outside its range",
    { ...frameUntil(START + HOUR), stages: [{ stage: "ns", min_s: 9, target_s: 8, max_s: 9 }] },
    /outside its range/,
  ],
  [
    "a frame that may leave someone at red for over 120 s",
    {
      ...frameUntil(START + HOUR),
      stages: [
        { stage: "ns", min_s: 6, target_s: 24, max_s: 36 },
        { stage: "ew", min_s: 6, target_s: 16, max_s: 120 },
      ],
    },
    /at red for 1\d\d s/,
  ],
  [
    "a frame that leaves a street out",
    { ...frameUntil(START + HOUR), stages: [{ stage: "ns", min_s: 6, target_s: 24, max_s: 36 }] },
    /leaves out a group/,
  ],
  ["a lamp's order", { action: "lamp-override", level: 1, until: START + HOUR }, /does not know/],
] as const)("%s is refused with the reason", (_, order, reason) => {
  expect(cabinet().alone.behaviour.obey(order as OrderOf<"frame">)).toMatch(reason);
});

test.each([1, 2, 3, 4])(
  "six busy hours pass with nobody waiting over 120 s and nothing unsafe (seed %i)",
  async (seed) => {
    const { alone, run } = cabinet({ rate: busy, seed });
    for (let quarter = 0; quarter < 24; quarter++) {
      alone.behaviour.obey(frameUntil(START + (quarter + 2) * 900_000));
      await run(900);
    }
    expect(alone.violations).toEqual([]);
    expect(alone.truth.movements().map(({ waits }) => waitedOver(waits, 120))).toEqual(
      Array.from({ length: 8 }, () => 0),
    );
  },
);

test("with every input stuck nobody waits over 120 s: the guard does not trust detectors", async () => {
  const { alone, run } = cabinet({ rate: few, wire: stuck });
  alone.behaviour.obey(frameUntil(START + 4 * HOUR));
  await run(3 * 3600);
  expect(worst(alone)).toBeGreaterThan(60);
  expect(worst(alone)).toBeLessThanOrEqual(120);
});

test("inputs that stay silent are taken as occupied: every stage comes in turn", async () => {
  const { alone, run } = cabinet({ rate: busy, wire: silent });
  alone.behaviour.obey(frameUntil(START + 4 * HOUR));
  await run(3600);
  expect(worst(alone)).toBeLessThanOrEqual(120);
});

test("inputs that fall silent in a busy hour leave nobody waiting over 100 s: they are doubted within half a minute", async () => {
  let deaf = false;
  const { alone, clock, run } = cabinet({
    rate: busy,
    wire: (hardware) => ({
      ...hardware,
      read: (device, measure) => (deaf ? undefined : hardware.read(device, measure)),
      watch: (listener) => hardware.watch((...seen) => (deaf ? undefined : listener(...seen))),
    }),
  });
  alone.behaviour.obey(frameUntil(START + 100 * HOUR));
  for (let fault = 0; fault < 100; fault++) {
    deaf = false;
    // At another moment of the cycle each time.
    await run(300 + (fault % 50));
    deaf = true;
    await run(200);
  }
  expect(clock.now()).toBeGreaterThan(START + 13 * HOUR);
  expect(worst(alone)).toBeLessThanOrEqual(100);
  expect(alone.violations).toEqual([]);
});

test("inputs that are stuck in a busy hour are doubted within minutes: an hour of it is worked off by the fixed plan", async () => {
  let stuckAt: Map<string, number | undefined> | undefined;
  const { alone, clock, run, mode } = cabinet({
    rate: busy,
    wire: (hardware) => ({
      ...hardware,
      read(device, measure) {
        const key = `${device} ${measure}`;
        const value = stuckAt?.get(key) ?? hardware.read(device, measure);
        stuckAt?.set(key, value);
        return value;
      },
      watch: (listener) => hardware.watch((...seen) => (stuckAt === undefined ? listener(...seen) : undefined)),
    }),
  });
  alone.behaviour.obey(frameUntil(START + 100 * HOUR));
  await run(1800);
  stuckAt = new Map();
  await run(600);
  expect(mode()).toBe("fixed");
  let longest = 0;
  for (let s = 0; s < 3000; s += 10) {
    await run(10);
    longest = Math.max(longest, alone.truth.longestWait_s(clock.now()));
  }
  expect(longest).toBeLessThanOrEqual(100);
  stuckAt = undefined;
  await run(60);
  expect(mode()).toBe("adaptive");
});

test("a clock that is set an hour forward or back leaves every intergreen whole", async () => {
  let error = 0;
  const { alone, clock, run } = cabinet({ rate: busy, clockError: () => error });
  alone.behaviour.obey(frameUntil(START + 100 * HOUR));
  for (let jump = 0; jump < 200; jump++) {
    await run(7.3);
    error = [0, HOUR, -HOUR, 1500, -1500, 90_000][jump % 6] as number;
    // Even while the cabinet runs by the clock.
    if (jump % 20 === 0)
      alone.behaviour.obey({ action: "signal-override", mode: "fixed", until: clock.now() + error + 60_000 });
  }
  expect(alone.violations).toEqual([]);
});
