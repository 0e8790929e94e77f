import { expect, test } from "vitest";
import type { TSchema } from "@fastify/type-provider-typebox";
import { Type } from "@fastify/type-provider-typebox";
import { KINDS } from "#protocol/kinds.ts";
import {
  Alarm,
  Container,
  DecisionDetail,
  DecisionEntry,
  Device,
  Fleet,
  Group,
  History,
  Junction,
  JunctionDetail,
  LampLevels,
  Now,
  Override,
  Policy,
  QuarantineEntry,
  Readings,
  Replay,
  RoundDetail,
  StationHealth,
  Town,
  Twin,
  Verification,
  Why,
  pageOf,
} from "#server/api/resources.ts";
import { instant } from "#protocol/units.ts";
import { village } from "../village.ts";
import { apply, expectShape, townHall, type TownHall } from "./townHall.ts";

/** Everyone has reported once; the loop has made its first decisions; the day's rounds are planned. */
async function livingVillage(): Promise<TownHall> {
  const hall = await townHall();
  for (const index of [1, 2, 3, 4]) {
    await hall.report(`S-L${index}`, [
      [`L${index}`, "level", index === 2 ? 0.8 : 0.3],
      [`L${index}`, "rule", index === 2 ? 2 : 3],
      [`L${index}`, "power_W", 10 * index],
      [`L${index}`, "energy_kWh", 5],
      [`P${index}`, "passes", 7],
    ]);
  }
  for (const index of [1, 2, 3]) await hall.report(`S-C${index}`, [[`C${index}`, "fill", 0.3 * index]]);
  await hall.report("S-J1", [
    ["J1", "stage", 1],
    ["J1", "greens", 0b110],
    ["J1", "mode", 0],
    ["J1", "longest_wait_s", 42],
    ["J1", "queue", 3],
    ["D-W", "vehicles", 100],
    ["D-W", "occupancy", 1],
    ["B-PW", "waiting", 1],
  ]);
  await hall.report("S-V1", [["V1", "stop", 0]]);
  await hall.pass(20);
  return hall;
}

test("every answer keeps to the schema that is published for it", async () => {
  const hall = await livingVillage();
  await hall.send("POST", "overrides", {
    scope: { kind: "street", id: "R1" },
    order: { action: "lamp-override", level: 1 },
    reason: "Fair on the square",
    until: hall.clock.now() + 3_600_000,
  });
  hall.server.alarms.raise({ key: "lamp-failed", subject: "L1", facts: { device: "L1", street: "Rue du Puits" } });
  await hall.broker.handlers?.onMessage("S-L1", "vigie/1/village/S-L1/up/status", Buffer.from("{no json"));
  const [decision] = (await hall.get("decisions?name=lighting.programme")).body.entries;
  const answers: [path: string, schema: TSchema][] = [
    ["town", Town],
    ["now", Now],
    ["history?service=lighting", History],
    ["history?service=waste", History],
    ["history?service=traffic", History],
    ["devices", pageOf(Device)],
    ...[...hall.server.territory.devices.keys()].flatMap((id): [string, TSchema][] => [
      [`devices/${id}`, Twin],
      [`devices/${id}/why`, Why],
    ]),
    [`devices/L1/readings?measure=level&from=0&to=${hall.clock.now()}`, Readings],
    [`devices/L1/readings?measure=level&from=${hall.clock.now() - 60_000}&to=${hall.clock.now()}&every_s=60`, Readings],
    ["lamps/levels", LampLevels],
    ["junctions", Type.Array(Junction)],
    ["junctions/J1", JunctionDetail],
    ["containers", Type.Array(Container)],
    ["decisions", pageOf(DecisionEntry)],
    [`decisions/${decision.id}`, DecisionDetail],
    ["decisions/verify", Verification],
    ["overrides", pageOf(Override)],
    ["groups", Type.Array(Group)],
    ["alarms", pageOf(Alarm)],
    ["policies", Type.Array(Policy)],
    ["fleet", Fleet],
    ["fleet/S-L1", StationHealth],
    ["quarantine", pageOf(QuarantineEntry)],
  ];
  for (const [path, schema] of answers) {
    const answer = await hall.get(path);
    expect(answer.status, `${path}: ${answer.text}`).toBe(200);
    try {
      expectShape(schema, answer.body);
    } catch (problem) {
      throw new Error(`${path}: ${String(problem)}\n${answer.text.slice(0, 2000)}`, { cause: problem });
    }
  }
  const replay = await hall.send("POST", `decisions/${decision.id}/replay`, undefined, hall.as("viewer"));
  expectShape(Replay, replay.body);
  expect(replay.body).toMatchObject({ same: true, recorded: null });
  expect(hall.logged).toEqual([]);
});

test("the figures of the town are sums that a hand can do", async () => {
  const hall = await livingVillage();
  const { lighting, waste, traffic, health } = (await hall.get("now")).body as Now;
  // 10 + 20 + 30 + 40 W; four lamps lit, one of them for somebody; one container of three at 0.9.
  expect(lighting.power_W).toMatchObject({ figure: 100, unit: "W" });
  expect(lighting.lampsLit.figure).toBe(4);
  expect(lighting.peopleLit.figure).toBe(1);
  expect(waste.over80.figure).toBe(1);
  expect(waste.fullest).toEqual({ id: "C3", fill: expect.closeTo(0.9) });
  expect(traffic).toMatchObject({ longestWaitAt: "J1", queued: { figure: 3 }, degraded: { figure: 0 } });
  expect(traffic.longestWait_s.figure).toBe(42);
  // 4 poles, 3 containers, 1 junction, 1 vehicle.
  expect(health.stations).toBe(9);
  expect(health.stationsLive.figure).toBe(9);
});

test("a trend is the change against an hour before", async () => {
  const hall = await livingVillage();
  await hall.pass(3600 - 30);
  await hall.report("S-L1", [["L1", "power_W", 35]]);
  await hall.pass(90);
  // Lamp 1 went from 10 W to 35 W within the hour.
  expect((await hall.get("now")).body.lighting.power_W).toMatchObject({ figure: 125, trend: 25 });
});

test("pages follow each other until every device has been shown once", async () => {
  const hall = await livingVillage();
  const seen: string[] = [];
  let path = "devices?limit=3";
  for (;;) {
    const { entries, next } = (await hall.get(path)).body;
    seen.push(...entries.map(({ id }: { id: string }) => id));
    if (next === null) break;
    path = `devices?limit=3&cursor=${next}`;
  }
  expect(seen).toEqual([...hall.server.territory.devices.keys()]);
});

test("the journal's pages neither repeat nor skip an entry while new ones come", async () => {
  const hall = await livingVillage();
  const first = (await hall.get("decisions?limit=2")).body;
  hall.server.loop.renew("lighting.programme");
  await hall.send("PUT", "policies/lighting.programme", { mode: "shadow" }, hall.as("administrator"));
  const ids: number[] = first.entries.map(({ id }: { id: string }) => Number(id));
  for (let { next } = first; next !== null;) {
    const page = (await hall.get(`decisions?limit=2&cursor=${next}`)).body;
    ids.push(...page.entries.map(({ id }: { id: string }) => Number(id)));
    next = page.next;
  }
  const newest = ids[0] ?? 0;
  expect(ids).toEqual(Array.from({ length: newest }, (_, index) => newest - index));
});

test("devices are found by kind, street and a part of the street's name", async () => {
  const hall = await livingVillage();
  const ids = async (query: string) =>
    (await hall.get(`devices?${query}`)).body.entries.map(({ id }: { id: string }) => id);
  expect(await ids("kind=lamp&street=R2")).toEqual(["L4"]);
  expect(await ids("q=four")).toEqual(["L4", "P4"]);
  expect(await ids("kind=signal")).toEqual(["J1"]);
  expect((await hall.get("devices?kind=balloon")).status).toBe(400);
});

test("a twin shows what is reported, what the machine wants, and the hand before it", async () => {
  const hall = await livingVillage();
  const before = (await hall.get("devices/L1")).body as Twin;
  expect(before.reported["level"]).toMatchObject({ value: 0.3, unit: "1", name: null, stale: false });
  expect(before.reported["rule"]).toMatchObject({ value: 3, name: "programme" });
  expect(before.desired).toMatchObject({ by: "machine", order: { action: "programme" } });
  const until = hall.clock.now() + 3_600_000;
  const made = await hall.send("POST", "overrides", {
    scope: { kind: "device", id: "L1" },
    order: { action: "lamp-override", level: 0.9 },
    reason: "Reading a meter",
    until,
  });
  expect(made.body).toMatchObject({ author: "api-key:of a operator", state: "active", devices: ["L1"] });
  const command = hall.broker.sent.findLast(({ device }) => device === "L1");
  expect(command?.order).toEqual({ action: "lamp-override", level: 0.9, until });
  if (command !== undefined) await apply(hall, command);
  const held = (await hall.get("devices/L1")).body as Twin;
  expect(held.desired).toMatchObject({ by: "hand", progress: "applied", order: { level: 0.9 } });
  expect(held.machine).toMatchObject({ order: { action: "programme" } });
  expect(held.override).toMatchObject({ reason: "Reading a meter" });
  expect((await hall.get("devices/L1/why")).body).toMatchObject({
    override: { id: made.body.id },
    machine: { because: "daylight" },
  });
  expect((await hall.send("DELETE", `overrides/${made.body.id}`, undefined)).body).toMatchObject({ state: "released" });
  expect((await hall.send("DELETE", `overrides/${made.body.id}`, undefined)).status).toBe(409);
  expect((await hall.get("devices/L1")).body.override).toBeNull();
});

test("readings come raw, by steps, or as CSV", async () => {
  const hall = await townHall();
  const from = hall.clock.now();
  for (const power of [10, 20, 60]) {
    await hall.report("S-L1", [["L1", "power_W", power]]);
    await hall.pass(10);
  }
  const range = `devices/L1/readings?measure=power_W&from=${from}&to=${from + 60_000}`;
  const raw = (await hall.get(range)).body as Readings;
  expect(raw.rows.map(({ value }) => value)).toEqual([10, 20, 60]);
  expect((await hall.get(`${range}&limit=2`)).body).toMatchObject({ more: true });
  const steps = (await hall.get(`${range}&every_s=60`)).body as Readings;
  // (10 + 20 + 60) / 3
  expect(steps.rows).toEqual([{ at: from, value: 30, count: 3, min: 10, max: 60, first: 10, last: 60 }]);
  const csv = await hall.get(range, { ...hall.as("viewer"), accept: "text/csv" });
  expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
  expect(csv.text.split("\r\n").slice(0, 2)).toEqual(["at,power_W", "2026-02-02T09:00:00.000Z,10"]);
  expect((await hall.get(range.replace("power_W", "colour"))).body.title).toBe("MEASURE_UNKNOWN");
  expect((await hall.get(`devices/L1/readings?measure=level&from=5&to=5`)).status).toBe(400);
});

test("the map's lamps can be asked for at a time that has passed", async () => {
  const hall = await townHall();
  await hall.report("S-L1", [["L1", "level", 0.2], ["L1", "rule", 3]]); // prettier-ignore
  const then = hall.clock.now();
  await hall.pass(60);
  await hall.report("S-L1", [["L1", "level", 0.9], ["L1", "rule", 2]]); // prettier-ignore
  expect((await hall.get("lamps/levels")).body).toMatchObject({
    ids: ["L1", "L2", "L3", "L4"],
    levels: [0.9, null, null, null],
  });
  const past = (await hall.get(`lamps/levels?at=${then}`)).body;
  expect(past).toMatchObject({ at: then, levels: [0.2, null, null, null], rules: [3, null, null, null] });
});

test("a junction shows its greens, who waits, and the frame it adapts inside", async () => {
  const hall = await livingVillage();
  const junction = (await hall.get("junctions/J1")).body as JunctionDetail;
  // Bits 1 and 2 of 0b110 are the second and the third group.
  expect(junction.greens).toEqual(["S", "PW"]);
  expect(junction).toMatchObject({ stage: "B", mode: "adaptive", longestWait_s: 42, queue: 3, waitBound_s: 120 });
  expect(junction.groups.map(({ id, green, waiting }) => `${id} ${green} ${waiting}`)).toEqual([
    "W false true",
    "S true false",
    "PW true false",
  ]);
  expect(junction.approaches[0]).toMatchObject({ street: "R1", streetName: "Rue du Puits" });
  expect(junction.frame?.stages.map(({ stage }) => stage)).toEqual(["A", "B"]);
});

test("a round leads along the streets, with a forecast and a reason at each stop", async () => {
  const hall = await livingVillage();
  // The day's rounds are made at five in the morning.
  await hall.pass(20 * 3600);
  const { day, entries } = (await hall.get("rounds")).body;
  expect(day).toBe("2026-02-03");
  expect(entries).toHaveLength(1);
  const round = (await hall.get(`rounds/${entries[0].id}`)).body as RoundDetail;
  expectShape(RoundDetail, round);
  expect(round.vehicle).toBe("V1");
  const visited = round.sites.filter(({ what }) => what === "container");
  expect(visited.map(({ site }) => site)).toContain("C3");
  for (const stop of visited) {
    expect(stop.because).not.toBeNull();
    expect(stop.q90).toBeGreaterThanOrEqual(stop.q50 ?? Number.NaN);
  }
  expect(round.path.coordinates.length).toBeGreaterThan(round.sites.length);
  const fullest = ((await hall.get("containers")).body as Container[]).find(({ id }) => id === "C3");
  expect(fullest).toMatchObject({ fill: expect.closeTo(0.9), round: round.id });
  expect((await hall.get("rounds/none")).status).toBe(404);
  expect((await hall.get("rounds?day=2020-01-01")).body.entries).toEqual([]);
});

test("an alarm is taken, noted and resolved, and not out of turn", async () => {
  const hall = await townHall();
  const { id } = hall.server.alarms.raise({
    key: "lamp-failed",
    subject: "L1",
    facts: { device: "L1", street: "Rue du Puits" },
    devices: ["L1"],
  });
  const [alarm] = (await hall.get("alarms", { ...hall.as("viewer"), "accept-language": "fr" })).body.entries;
  expect(alarm.sentence).toMatch(/^Le luminaire L1, Rue du Puits, signale une panne/);
  expect(alarm).toMatchObject({ state: "open", next: ["acknowledged", "in-progress", "resolved"], owner: null });
  const change = (body: object) => hall.send("PATCH", `alarms/${id}`, body);
  expect((await change({ state: "acknowledged", note: "On my way" })).body).toMatchObject({
    state: "acknowledged",
    owner: "api-key:of a operator",
    notes: [{ text: "On my way", author: "api-key:of a operator" }],
  });
  const early = await change({ state: "closed" });
  expect(early.status).toBe(409);
  expect(early.body.title).toBe("CONFLICT");
  expect((await change({ state: "resolved" })).body.state).toBe("resolved");
  expect((await change({})).status).toBe(400);
  expect((await hall.get("alarms?state=open,acknowledged")).body.entries).toEqual([]);
  expect((await hall.get("alarms?state=resolved")).body.entries).toHaveLength(1);
});

test("what was put aside is shown with its reason, and walked page by page", async () => {
  const hall = await townHall();
  for (const level of [5, 6, 7]) await hall.report("S-L1", [["L1", "level", level]]);
  const first = (await hall.get("quarantine?limit=2", { ...hall.as("viewer"), "accept-language": "fr" })).body;
  expect(first.entries.map(({ reason }: { reason: string }) => reason)).toEqual([
    "L1 annonce level = 7, hors de 0 à 1.",
    "L1 annonce level = 6, hors de 0 à 1.",
  ]);
  await hall.report("S-L1", [["L1", "level", 8]]);
  const second = (await hall.get(`quarantine?limit=2&cursor=${first.next}`)).body;
  expect(second.entries.map(({ facts }: { facts: { value: number } }) => facts.value)).toEqual([5]);
  expect(second.next).toBeNull();
  expect((await hall.get("fleet")).body.totals.quarantined).toBe(4);
});

test("a device's headline is a measure of its kind", async () => {
  const hall = await townHall();
  for (const { kind, measure } of (await hall.get("devices")).body.entries as Device[]) {
    expect(Object.keys(KINDS[kind].measures)).toContain(measure);
  }
});

test("a town that began at eleven in the evening is compared with the night since eleven, not with the whole of it", async () => {
  const eleven = instant(Date.UTC(2026, 1, 2, 22));
  const hall = await townHall({ at: eleven });
  for (const counted of [5, 5.01, 5.02]) {
    await hall.report("S-L1", [["L1", "energy_kWh", counted]]);
    await hall.pass(1800);
  }
  const { lighting } = (await hall.get("now")).body;
  expect(lighting.energyFrom).toBe(eleven);
  expect(lighting.energy_kWh.figure).toBeCloseTo(0.02, 6);
  const rated_kW = village.luminaires.reduce((sum, lamp) => sum + lamp.power_W, 0) / 1000;
  expect(lighting.fullNight_kWh.figure).toBeCloseTo(rated_kW * 1.5, 3);
  const { body } = await hall.get("history?service=lighting");
  const sum = (values: (number | null)[]): number => values.reduce((total: number, each) => total + (each ?? 0), 0);
  expect(sum(body.series.fullNight_kWh)).toBeLessThanOrEqual(rated_kW * 1.75);
});
