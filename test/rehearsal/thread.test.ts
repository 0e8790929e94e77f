import { beforeAll, expect, test } from "vitest";
import { LAMP_RULES } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import { rehearse, type Rehearsed } from "#rehearsal/rehearse.ts";
import type { TraceLine } from "#rehearsal/street.ts";
import { generateTown } from "#simulators/generate.ts";
import { EVENING } from "./hamlet.ts";

/** One lamp with its presence sensor, one container, one junction; the stations of the others stand empty. */
const ONLY: Record<string, string> = { luminaire: "L01", presence: "P01", container: "C1" };
const { features, ...head } = generateTown({ seed: 7, lamps: 16, containers: 6, junctions: 1 });
const THREAD = parseTerritory(
  {
    ...head,
    features: features.filter(
      ({ properties: { kind, id } }) => ONLY[String(kind)] === undefined || ONLY[String(kind)] === id,
    ),
  },
  "a thread",
);

let rehearsed: Rehearsed;
const trace: TraceLine[] = [];
/** From the evening until the morning's round is done. */
beforeAll(async () => {
  const options = { territory: THREAD, seed: 1, from: EVENING, hours: 18, hand: false };
  rehearsed = await rehearse({ ...options, trace: (line) => trace.push(line) });
});

const stored = (device: string, measure: string): Promise<Reading[]> =>
  rehearsed.store.range(device, measure, instant(0), instant(9e15), 1e6);
const answered = (device: string): unknown =>
  rehearsed.state.get("SELECT state FROM intents WHERE device = ? AND lane = 'machine'", device)?.["state"];
const decided = (name: string, subject: string): number =>
  Number(
    rehearsed.state.get("SELECT count(*) AS n FROM journal WHERE name = ? AND subject = ?", name, subject)?.["n"] ?? 0,
  );
const seen = (what: string): TraceLine[] => trace.filter((line) => line["what"] === what);

test("every level that the lamp really had is in the store, and nothing else", async () => {
  const really = seen("level").map(({ level }) => level);
  const told = (await stored("L01", "level")).map(({ value }) => value);
  // What moved and moved back within the second in which reports are gathered may be told as one.
  expect(told.length).toBeGreaterThan(4);
  expect(told.filter((value) => !really.includes(value))).toEqual([]);
  expect(told.at(-1)).toBe(really.at(-1));
});

test("a programme was decided for the lamp's street, and the lamp obeys it and says so", async () => {
  expect(decided("lighting.programme", THREAD.luminaires[0]?.street ?? "")).toBeGreaterThan(0);
  expect(answered("L01")).toBe("applied");
  const rules = (await stored("L01", "rule")).map(({ value }) => LAMP_RULES[value]);
  expect(rules).toContain("programme");
  expect(rules.at(-1)).toBe("daylight");
});

test("frames were decided for the junction from its counts, and the cabinet shows greens by them", async () => {
  expect(decided("traffic.frame", "J1")).toBeGreaterThan(10);
  expect(answered("J1")).toBe("applied");
  const greens = (await stored("J1", "greens")).map(({ value }) => value);
  expect(new Set(greens).size).toBeGreaterThan(2);
  const counted = (await stored("J1-V1-stop", "vehicles")).map(({ value }) => value);
  expect(counted.at(-1)).toBeGreaterThan(counted[0] as number);
});

test("the container filled, a round was decided, the crew emptied it, and its level says so", async () => {
  expect(decided("waste.rounds", "D1")).toBeGreaterThan(0);
  expect(answered("T1")).toBe("applied");
  const [emptied] = seen("collection");
  expect(emptied).toMatchObject({ container: "C1" });
  const levels = await stored("C1", "fill");
  const before = levels.findLast(({ at }) => at < Number(emptied?.["at"]));
  const after = levels.find(({ at }) => at > Number(emptied?.["at"]));
  expect(after?.value).toBeLessThan(before?.value as number);
  expect((await stored("C1", "collections")).at(-1)?.value).toBe(1);
});

test("nothing was lost, nothing came twice, and every promise was kept", () => {
  expect(rehearsed.result).toMatchObject({ lost: 0, duplicated: 0, examples: [] });
  expect(rehearsed.result.stored).toBe(rehearsed.result.acknowledged);
});
