import { expect, test } from "vitest";
import { decide } from "#control/decide.ts";
import type { FrameInput } from "#control/traffic/frame.ts";
import { openJournal } from "#server/journal.ts";
import { broken, EVENING, evening, HAMLET, NOTHING_BROKEN } from "./hamlet.ts";

/** The inputs and evidence of every frame of an evening, by the quarter in which it was decided; each is computed again. */
async function framesOf(rehearsed: Awaited<ReturnType<typeof evening>>) {
  const journal = openJournal(rehearsed.state, (name, inputs) => decide(name as "traffic.frame", inputs as FrameInput));
  const frames = journal.list({}, 1000).filter(({ name }) => name === "traffic.frame");
  for (const { id } of frames) journal.replay(id);
  return new Map(
    frames.map(({ at, inputs, decision }) => [
      Math.floor((at - EVENING) / 900_000),
      { inputs: inputs as FrameInput, evidence: decision.evidence },
    ]),
  );
}

test("a loop that falls silent is not taken for an empty lane, and every frame can be computed again", async () => {
  const loop = HAMLET.detectors.find(({ place }) => place === "stop-line");
  const group = loop?.group ?? "";
  const target = loop?.id ?? "";
  const struck = await evening({ faults: [{ kind: "sensor-silent", at_s: 3600, for_s: 7200, target }] });
  expect(broken(struck)).toEqual(NOTHING_BROKEN);
  const [frames, whole] = [await framesOf(struck), await framesOf(await evening())];

  for (const quarter of [1, 2, 3, 4]) expect(frames.get(quarter)?.inputs).toEqual(whole.get(quarter)?.inputs);
  for (const quarter of [5, 6, 7, 8, 9, 10, 11]) {
    const { inputs, evidence } = frames.get(quarter) ?? {};
    expect(evidence).toMatchObject({ silent_counters: target, counted_before_line: group });
    expect(inputs?.counted?.[group]).toMatchObject({ at: "advance", known: 1 });
    // Who passes the loop before the line passes the line a little later.
    const counted = inputs?.flows[group] ?? 0;
    expect(Math.abs(counted - (whole.get(quarter)?.inputs.flows[group] ?? 0))).toBeLessThan(20 + 0.15 * counted);
  }
});

test("a loop that is stuck at its count is doubted for as long as it is, and the loop before the line stands in", async () => {
  const { id: target, group } = HAMLET.detectors.find(({ place }) => place === "stop-line") ?? { id: "", group: "" };
  const struck = await evening({ hours: 4, faults: [{ kind: "sensor-stuck", at_s: 3600, for_s: 7200, target }] });
  expect(broken(struck)).toEqual(NOTHING_BROKEN);
  const frames = await framesOf(struck);
  for (const quarter of [1, 2, 3, 4]) expect(frames.get(quarter)?.inputs.doubted).toBeUndefined();
  for (const quarter of [6, 7, 8, 9, 10, 11]) {
    const { inputs, evidence } = frames.get(quarter) ?? {};
    expect(Object.keys(inputs?.doubted ?? {})).toEqual([target]);
    expect(evidence).toMatchObject({ counted_before_line: group });
    expect(inputs?.flows[group]).toBeGreaterThan(0);
  }
  const after = [...frames].filter(([quarter]) => quarter >= 14);
  expect(after.length).toBeGreaterThan(0);
  for (const [, { inputs }] of after) expect(inputs.doubted).toBeUndefined();
});
