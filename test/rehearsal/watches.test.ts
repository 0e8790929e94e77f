import { expect, test } from "vitest";
import type { Behaviour, BehaviourContext } from "#edge/behaviour.ts";
import type { Behaviours } from "#edge/behaviours.ts";
import type { DeviceKind } from "#protocol/kinds.ts";
import type { Clock } from "#protocol/ports.ts";
import { instant, seconds } from "#protocol/units.ts";
import { type Store, upToOf } from "#server/store/store.ts";
import type { ScheduledFault } from "#simulators/faults.ts";
import { broken, evening } from "./hamlet.ts";
import { bound } from "../server/store/bound.ts";

/** Puts `change` around the behaviour of every device of a kind; what it does not mention stays as it is. */
function altered(kind: DeviceKind, change: (inner: Behaviour, context: BehaviourContext) => Partial<Behaviour>) {
  return (behaviours: Behaviours): Behaviours => ({
    ...behaviours,
    [kind]: (context: BehaviourContext): Behaviour => {
      const inner = behaviours[kind]?.(context) as Behaviour;
      return {
        start: () => inner.start(),
        stop: () => inner.stop(),
        read: (measure) => inner.read(measure),
        obey: (order) => inner.obey(order),
        sensed: (device, measure, at) => inner.sensed(device, measure, at),
        heard: (passing) => inner.heard(passing),
        ...change(inner, context),
      };
    },
  });
}

/** Killed every hundred seconds or so. */
const KILLED_OFTEN = Array.from({ length: 60 }, (_, index): ScheduledFault => {
  return { kind: "server-killed", at_s: 120 + 100.011 * index, for_s: 1 };
});

/** A store on a disk that takes half a second for a commit, so that death often comes in between. */
const slow = (store: Store, clock: Clock): Store => ({
  ...bound(store),
  commit: (contributions) =>
    new Promise((resolve, reject) => {
      clock.after(seconds(0.5), () => void store.commit(contributions).then(resolve, reject));
    }),
});

test("a server that acknowledges before its commit and is killed is found to lose", async () => {
  const replaced = { store: slow, acknowledge: "before-commit" as const };
  const rehearsed = await evening({ faults: KILLED_OFTEN, replaced });
  expect(broken(rehearsed).broken).toEqual(["acknowledged-lost"]);
  expect(rehearsed.result.lost).toBeGreaterThan(0);
});

test("a server that acknowledges after its commit and is killed as often loses nothing", async () => {
  const rehearsed = await evening({ faults: KILLED_OFTEN, replaced: { store: slow } });
  expect(rehearsed.result).toMatchObject({ lost: 0, duplicated: 0 });
});

test("a store that keeps one reading in a thousand twice is found", async () => {
  let count = 0;
  const stutters = (store: Store): Store => ({
    ...bound(store),
    commit: (contributions) =>
      store.commit(
        contributions.map((each) => {
          const [first] = each.readings;
          const twice = first !== undefined && ++count % 1000 === 0;
          if (!twice) return each;
          // At its very instant it would be the same reading.
          const again = { ...first, at: instant(first.at + 1) };
          return { ...each, readings: [again, ...each.readings], upTo: upToOf(each) };
        }),
      ),
  });
  const rehearsed = await evening({ replaced: { store: stutters } });
  expect(broken(rehearsed).broken).toEqual(["stored-twice"]);
  expect(rehearsed.result.duplicated).toBe(Math.floor(count / 1000));
});

test("a store that says it has committed and forgets one reading in a thousand is found", async () => {
  let count = 0;
  const forgets = (store: Store): Store => ({
    ...bound(store),
    commit: (contributions) =>
      store.commit(
        contributions.map((each) =>
          ++count % 1000 === 0
            ? { ...each, readings: each.readings.slice(1), upTo: each.first + each.readings.length - 1 }
            : each,
        ),
      ),
  });
  const rehearsed = await evening({ replaced: { store: forgets } });
  expect(broken(rehearsed).broken).toEqual(["acknowledged-lost"]);
  expect(rehearsed.result.lost).toBe(Math.floor(count / 1000));
});

test("a lamp that goes dark in the middle of the evening is found", async () => {
  const darkens = altered("lamp", (inner, { device, clock, hardware }) => ({
    start() {
      inner.start();
      if (device.id === "L05") clock.after(seconds(7200), () => hardware.write(device.id, "level", 0));
    },
  }));
  const found = broken(await evening({ replaced: { behaviours: darkens } }));
  expect(found.broken).toEqual(["lamp-below-floor"]);
  expect(found.examples[0]).toContain("L05 at 0");
});

test("a junction that shows green to everyone for a second is found", async () => {
  const dangerous = altered("signal", (inner, { device, clock, hardware }) => ({
    start() {
      inner.start();
      clock.after(seconds(3600.5), () => hardware.write(device.id, "greens", 0b11_1111));
    },
  }));
  expect(broken(await evening({ replaced: { behaviours: dangerous } })).broken).toContain("conflicting-greens");
});

test("a junction that stands still is found by those who wait", async () => {
  const stands = altered("signal", (inner, { clock }) => ({
    start() {
      inner.start();
      clock.after(seconds(3600), () => inner.stop());
    },
  }));
  expect(broken(await evening({ replaced: { behaviours: stands } })).broken).toEqual(["waited-over-cap"]);
});

test("a junction that obeys a frame again when it has ended is found, as late and as twice", async () => {
  const repeats = altered("signal", (inner, { clock }) => ({
    obey(order) {
      if (order.action === "frame")
        clock.after(seconds((order.until - clock.now()) / 1000 + 60), () => inner.obey(order));
      return inner.obey(order);
    },
  }));
  const found = broken(await evening({ hours: 4, replaced: { behaviours: repeats } }));
  expect(found.broken).toEqual(["command-after-expiry", "command-twice"]);
});

test("a lamp that says yes to a person and goes on as before is found", async () => {
  const stubborn = altered("lamp", (inner) => ({
    obey: (order) => (order.action === "lamp-override" ? undefined : inner.obey(order)),
  }));
  expect(broken(await evening({ hours: 14, replaced: { behaviours: stubborn } })).broken).toEqual([
    "override-overruled",
  ]);
});

test("a server that takes nothing after it was killed is found", async () => {
  const faults: ScheduledFault[] = [{ kind: "server-killed", at_s: 600, for_s: 60 }];
  let lives = 0;
  const refuses = (store: Store): Store => {
    // The store of the second life takes nothing.
    const broken = ++lives > 1;
    return {
      ...bound(store),
      commit: (contributions) => (broken ? Promise.reject(new Error("broken")) : store.commit(contributions)),
    };
  };
  expect(broken(await evening({ faults, replaced: { store: refuses } })).broken).toEqual(["not-recovered"]);
});
