import { expect, test } from "vitest";
import type { Order } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, later, seconds } from "#protocol/units.ts";
import type { Streets } from "./streets.ts";
import { streets } from "./streets.ts";
import { MONDAY } from "./village.ts";

const hours = (n: number) => seconds(n * 3600);
const applied = (place: Streets, device: string): Order["action"] | undefined => {
  const machine = place.server.registry.twin(device)?.machine;
  return machine?.progress === "applied" ? machine.order.action : undefined;
};

test("a minute after the start every lamp has a programme and the junction a frame, each with its journal entry", async () => {
  const place = await streets();
  await place.wait(seconds(60));
  expect(["L1", "L2", "L3", "L4"].map((lamp) => applied(place, lamp))).toEqual(
    Array.from({ length: 4 }, () => "programme"),
  );
  expect(applied(place, "J1")).toBe("frame");
  const { journal, registry } = place.server;
  const entry = journal.show(registry.twin("L4")?.machine?.entry ?? 0);
  expect(entry).toMatchObject({ name: "lighting.programme", subject: "R2", mode: "general", acted: true });
});

test("a reading goes from the hardware into the store and the twin", async () => {
  const place = await streets();
  place.set("C1", "fill", 0.42);
  await place.wait(seconds(10));
  expect(place.server.registry.value("C1", "fill")).toBe(0.42);
  const stored = await place.server.store.range("C1", "fill", 0 as Instant, (MONDAY + HOUR) as Instant, 10);
  expect(stored.at(-1)?.value).toBe(0.42);
});

test("an override reaches the lamp in under two seconds, wins, and lets go at its end", async () => {
  const place = await streets();
  await place.wait(seconds(60));
  const asked = place.now();
  place.server.overrides.create({
    author: "ana",
    reason: "Something was lost here.",
    scope: { kind: "device", id: "L1" },
    order: { action: "lamp-override", level: 0.7 },
    until: (asked + HOUR) as Instant,
  });
  await place.wait(seconds(2));
  const written = place.output("L1", "level");
  expect(written?.value).toBe(0.7);
  expect((written?.at ?? 0) - asked).toBeLessThan(2000);
  expect(place.server.registry.twin("L1")).toMatchObject({
    hand: { progress: "applied" },
    machine: { progress: "applied" },
  });
  await place.wait(hours(1));
  // Eleven in the morning: the machine keeps lamps off.
  expect(place.output("L1", "level")?.value).toBe(0);
});

test("every decision of a day can be computed again, and the chain is whole", async () => {
  const place = await streets();
  place.set("C1", "fill", 0.95);
  place.set("C2", "fill", 0.5);
  await place.wait(hours(26));
  const { journal } = place.server;
  const entries = journal.list({}, 1000);
  // Two streets, twice at noon and once at the start; 26 h of quarters at one junction and its first; one day's rounds.
  const count = (name: string) => entries.filter((entry) => entry.name === name).length;
  expect(count("lighting.programme")).toBe(6);
  expect(count("traffic.frame")).toBe(1 + 26 * 4);
  expect(count("waste.rounds")).toBe(1);
  for (const { id } of entries) journal.replay(id);
  expect(journal.verify().entries).toBe(entries.length);
  expect(applied(place, "V1")).toBe("round");
});

test("the same seed gives the same journal", async () => {
  const heads = await Promise.all(
    [1, 1].map(async (seed) => {
      const place = await streets({ seed });
      place.set("C1", "fill", 0.95);
      await place.wait(hours(20));
      return place.server.journal.head();
    }),
  );
  expect(heads[0]).toBe(heads[1]);
});

test("in shadow decisions are written down and none reaches the street; back in general they do", async () => {
  const place = await streets();
  const { policies, journal } = place.server;
  policies.change("lighting.programme", { mode: "shadow" }, "ana");
  policies.change("traffic.frame", { mode: "shadow" }, "ana");
  await place.wait(seconds(60));
  expect(
    journal
      .list({ mode: "shadow" }, 10)
      .map(({ name, subject, acted }) => `${name} ${subject} ${acted}`)
      .sort(),
  ).toEqual(["lighting.programme R1 false", "lighting.programme R2 false", "traffic.frame J1 false"]);
  expect(["L1", "L4", "J1"].map((device) => applied(place, device))).toEqual([undefined, undefined, undefined]);
  policies.change("lighting.programme", { mode: "general" }, "ana");
  await place.wait(seconds(60));
  expect(applied(place, "L1")).toBe("programme");
});

test("a street that leaves the policy goes back to its class all night", async () => {
  const place = await streets();
  await place.wait(seconds(60));
  place.server.policies.change(
    "lighting.programme",
    { mode: "pilot", pilot: { acting: ["R1"], control: ["R2"] } },
    "ana",
  );
  await place.wait(seconds(60));
  const steps = (lamp: string) => {
    const order = place.server.registry.twin(lamp)?.machine?.order;
    return order?.action === "programme" ? order.steps.filter(({ active }) => active > 0) : [];
  };
  expect(steps("L4").every(({ idle, active }) => idle === active)).toBe(true);
  expect(steps("L1").some(({ idle, active }) => idle < active)).toBe(true);
});

test("a server that is killed comes back with its overrides, its journal and what it knew", async () => {
  const place = await streets();
  place.set("C1", "fill", 0.42);
  await place.wait(seconds(60));
  place.server.overrides.create({
    author: "ana",
    reason: "A concert.",
    scope: { kind: "street", id: "R1" },
    order: { action: "lamp-override", level: 1 },
    until: (place.now() + 2 * HOUR) as Instant,
  });
  await place.wait(seconds(5));
  const head = place.server.journal.head();
  const server = await place.restart();
  expect(server.journal.head()).toBe(head);
  expect(server.overrides.active()).toHaveLength(1);
  expect(server.registry.value("C1", "fill")).toBe(0.42);
  await place.wait(seconds(120));
  expect(server.registry.stats().online).toBe(server.registry.stats().stations);
  expect(server.registry.desired("L1")).toMatchObject({ by: "hand", progress: "applied" });
  server.overrides.release(1, "ana");
  await place.wait(seconds(5));
  expect(place.output("L1", "level")?.value).toBe(0);
});

test("an override made while the line is cut reaches the lamp when the line is back", async () => {
  const place = await streets();
  await place.wait(seconds(60));
  place.faults.cut.add("S-L1");
  place.applyFaults();
  await place.wait(seconds(60));
  place.server.overrides.create({
    author: "ana",
    reason: "A dog is lost.",
    scope: { kind: "device", id: "L1" },
    order: { action: "lamp-override", level: 0.9 },
    until: (place.now() + 2 * HOUR) as Instant,
  });
  await place.wait(seconds(300));
  expect(place.output("L1", "level")?.value).toBe(0);
  place.faults.cut.clear();
  await place.wait(seconds(120));
  expect(place.output("L1", "level")?.value).toBe(0.9);
});

test("a silent station becomes an alarm and is resolved when it speaks; three on one feeder are one alarm", async () => {
  const place = await streets();
  // Somebody drives by at each loop every five minutes, or the junction would not believe loops that count nobody any more.
  let passed = 0;
  const fiveMinutes = async (): Promise<void> => {
    passed++;
    for (const loop of place.server.territory.detectors) place.set(loop.id, "vehicles", passed);
    await place.wait(seconds(300));
  };
  await place.wait(seconds(60));
  const open = () => place.server.alarms.list(["open"], 10).map(({ key, subject }) => `${key} ${subject}`);
  place.faults.cut.add("S-L4");
  place.applyFaults();
  for (let each = 0; each < 2; each++) await fiveMinutes();
  expect(open()).toEqual(["station-silent S-L4"]);
  place.faults.cut.clear();
  for (const index of [1, 2, 3]) place.faults.cut.add(`S-L${index}`);
  place.applyFaults();
  for (let each = 0; each < 2; each++) await fiveMinutes();
  expect(open()).toEqual(["feeder-silent F1"]);
  expect(place.server.alarms.list(["open"], 1)[0]?.devices).toEqual(["L1", "P1", "L2", "P2", "L3", "P3"]);
  place.faults.cut.clear();
  await fiveMinutes();
  expect(open()).toEqual([]);
});

test("a full container and a failed lamp become alarms with a whole sentence", async () => {
  const place = await streets();
  place.set("C2", "fill", 0.97);
  place.set("L1", "failed", 1);
  await place.wait(seconds(60));
  const alarms = place.server.alarms.list(["open"], 10);
  expect(alarms.map(({ key, facts }) => [key, facts])).toEqual([
    ["container-near-overflow", { device: "C2", street: "Rue du Puits", fill_percent: 97 }],
    ["lamp-failed", { device: "L1", street: "Rue du Puits" }],
  ]);
});

test("a programme says how the last day went against the usual, once there was a usual to hold it against", async () => {
  const place = await streets();
  let passes = 0;
  for (let day = 0; day < 3; day++) {
    for (let hour = 0; hour < 24; hour++) {
      // One passage an hour more on the third day.
      passes += day < 2 ? 4 : 5;
      for (const sensor of ["P1", "P2", "P3"]) place.set(sensor, "passes", passes);
      await place.wait(hours(1));
    }
  }
  const last = place.server.journal.latest("lighting.programme", "R1");
  const { recent } = (last?.inputs ?? {}) as { recent?: { correction: number } };
  expect(recent?.correction).toBeGreaterThan(1);
  // 24 hours of 5 where 4 were expected: (20 + 24 × 5) / (20 + 24 × 4) = 140 / 116 at the most, as the noon falls.
  expect(recent?.correction).toBeLessThanOrEqual(1.207);
  expect(last?.decision.evidence).toMatchObject({ recent_share: recent?.correction });
  expect(place.server.journal.replay(last?.id ?? 0).hash).toBe(last?.hash);
});

test("what is older than the retention is dropped, at the start and once a day, and what is younger is kept", async () => {
  const place = await streets({ settings: { retention_d: 1 } });
  place.set("C1", "fill", 0.5);
  await place.wait(hours(0.5));
  const fills = async (server = place.server): Promise<number> =>
    (await server.store.range("C1", "fill", MONDAY, later(MONDAY, hours(1)), 100)).length;
  const before = await fills();
  expect(before).toBeGreaterThan(0);
  await place.wait(hours(23));
  expect(await fills()).toBe(before);
  // At the end of the first day nothing is older than a day; an hour later the morning is, and a start drops it.
  await place.wait(hours(2));
  expect(await fills()).toBe(before);
  expect(await fills(await place.restart())).toBe(0);
  expect((await place.server.store.size()).readings).toBeGreaterThan(0);
});
