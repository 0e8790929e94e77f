import { describe, expect, test } from "vitest";
import { LAMP_RULES } from "#protocol/kinds.ts";
import type { OrderOf, Passing } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import type { Behaviour } from "#edge/behaviour.ts";
import { lampBehaviour } from "#edge/lamp.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { SUMMER_NOON, WINTER_NIGHT, bench, streetOf } from "./street.ts";

const territory = streetOf(6);

function lamp(start: Instant, id = "L1", memory: { text?: string } = {}) {
  const device = territory.devices.get(id);
  if (device === undefined) throw new Error(`no ${id}`);
  const clock = virtualClock(start);
  const hardware = bench();
  const reports: string[] = [];
  const shouts: Passing[] = [];
  const behaviour: Behaviour = lampBehaviour({
    device,
    territory,
    hardware,
    clock,
    memory: { load: () => memory.text, save: (text) => (memory.text = text) },
    report: (measure) => reports.push(measure),
    shout: (passing) => shouts.push(passing),
  });
  const rule = (): string | undefined => LAMP_RULES[behaviour.read("rule") ?? -1];
  const level = (): number | undefined => hardware.values.get(`${id} level`);
  const after = (s: number): Promise<void> => clock.run((clock.now() + s * 1000) as Instant);
  return { behaviour, clock, hardware, reports, shouts, memory, rule, level, after };
}

const programme = (at: number): OrderOf<"programme"> => ({
  action: "programme",
  steps: [{ at, idle: 0.2, active: 0.8 }],
  floor: 0.1,
  hold_s: 30,
});

describe("A lamp without a server", () => {
  test("burns at its class level in the dark and not by day", () => {
    const night = lamp(WINTER_NIGHT);
    night.behaviour.start();
    expect(night.level()).toBe(1);
    expect(night.rule()).toBe("class-level");
    const noon = lamp(SUMMER_NOON);
    noon.behaviour.start();
    expect(noon.level()).toBe(0);
    expect(noon.rule()).toBe("daylight");
  });

  test("goes on at dusk and off at dawn by its own clock", async () => {
    const { behaviour, after, level, reports } = lamp(SUMMER_NOON);
    behaviour.start();
    // On 21 June the sun sets at about 20:00 UTC at 47° north and rises at about 03:45.
    await after(7 * 3600);
    expect(level()).toBe(0);
    await after(2 * 3600);
    expect(level()).toBe(1);
    await after(8 * 3600);
    expect(level()).toBe(0);
    expect(reports).toEqual(["level", "rule", "level", "rule", "level", "rule"]);
  });

  test("still knows its programme and its override after a restart", () => {
    const memory: { text?: string } = {};
    const before = lamp(WINTER_NIGHT, "L1", memory);
    before.behaviour.start();
    before.behaviour.obey(programme(WINTER_NIGHT));
    before.behaviour.obey({ action: "lamp-override", level: 0.5, until: WINTER_NIGHT + 60_000 });
    before.behaviour.stop();
    const after = lamp(WINTER_NIGHT, "L1", memory);
    after.behaviour.start();
    expect(after.level()).toBe(0.5);
    after.behaviour.obey({ action: "release" });
    expect(after.level()).toBe(0.2);
  });
});

describe("A lamp on its programme", () => {
  const started = () => {
    const parts = lamp(WINTER_NIGHT);
    parts.behaviour.start();
    parts.behaviour.obey(programme(WINTER_NIGHT));
    return parts;
  };

  test("lights at once when someone passes, tells the street, and dims 30 s after the last one", async () => {
    const { behaviour, after, level, rule, shouts } = started();
    expect(level()).toBe(0.2);
    behaviour.sensed("P1", "passes", WINTER_NIGHT);
    expect(level()).toBe(0.8);
    expect(rule()).toBe("presence");
    expect(shouts).toEqual([expect.objectContaining({ station: "S-1", at: WINTER_NIGHT })]);
    await after(20);
    behaviour.sensed("P1", "passes", WINTER_NIGHT);
    await after(29);
    expect(level()).toBe(0.8);
    await after(2);
    expect(level()).toBe(0.2);
    expect(rule()).toBe("programme");
  });

  test("lights for a neighbour within 60 m, not beyond, and not for its own echo", () => {
    // Poles stand 28 m apart: the third is 56 m away, the fourth 84 m.
    const word = (pole: number): Passing => {
      const [lon, lat] = territory.devices.get(`L${pole}`)?.position ?? [0, 0];
      return { station: `S-${pole}`, at: WINTER_NIGHT, lon, lat };
    };
    const { behaviour, level, shouts } = started();
    behaviour.heard(word(1));
    behaviour.heard(word(4));
    expect(level()).toBe(0.2);
    behaviour.heard(word(3));
    expect(level()).toBe(0.8);
    expect(shouts).toEqual([]);
  });

  test("says nothing to the street by day", () => {
    const { behaviour, shouts, level } = lamp(SUMMER_NOON);
    behaviour.start();
    behaviour.sensed("P1", "passes", SUMMER_NOON);
    expect(shouts).toEqual([]);
    expect(level()).toBe(0);
  });

  test("obeys an override until it ends, but never below the floor at night", async () => {
    const { behaviour, after, level, rule } = started();
    behaviour.obey({ action: "lamp-override", level: 0, until: WINTER_NIGHT + 600_000 });
    expect(level()).toBe(0.1);
    expect(rule()).toBe("guard");
    behaviour.obey({ action: "lamp-override", level: 1, until: WINTER_NIGHT + 600_000 });
    expect(level()).toBe(1);
    behaviour.sensed("P1", "passes", WINTER_NIGHT);
    expect(rule()).toBe("override");
    await after(601);
    expect(level()).toBe(0.2);
  });

  test("does not write to its driver when nothing changes", async () => {
    const { behaviour, after, hardware } = started();
    const before = hardware.written.length;
    for (let turn = 0; turn < 10; turn++) {
      behaviour.sensed("P1", "passes", WINTER_NIGHT);
      await after(5);
    }
    expect(hardware.written.length - before).toBe(1);
  });

  test("refuses an order that is not for lamps", () => {
    expect(started().behaviour.obey({ action: "round", round: "r", stops: [] })).toBeDefined();
  });
});
