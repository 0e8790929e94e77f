import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { openAlarms } from "#server/alarms.ts";
import { openState, type State } from "#server/state.ts";

let directory: string;
let state: State;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vigie-full-"));
  state = openState(join(directory, "state.sqlite"), "town");
});
afterEach(() => {
  state.close();
  rmSync(directory, { recursive: true, force: true });
});

/** SQLite's own bound on its pages answers exactly as a full disk does: SQLITE_FULL. */
const diskHolds = (pages: number): void => void state.get(`PRAGMA max_page_count = ${pages}`);

test("a write on a full disk is a fault that names the file, and the state says why it fails until one succeeds", () => {
  diskHolds(1);
  const large = "x".repeat(100_000);
  expect(() => state.run("INSERT INTO meta VALUES ('large', ?)", large)).toThrow("The disk is full while writing");
  expect(() => state.transaction(() => state.run("INSERT INTO meta VALUES ('large', ?)", large))).toThrow(
    "disk is full",
  );
  expect(state.failing).toContain(join(directory, "state.sqlite"));
  diskHolds(100_000);
  state.run("INSERT INTO meta VALUES ('large', ?)", large);
  expect(state.failing).toBeUndefined();
});

test("alarms that come while the disk is full are shown at once, and written down when it has room again", () => {
  const clock = virtualClock(instant(Date.UTC(2026, 2, 2)));
  const alarms = openAlarms(state, clock);
  diskHolds(1);
  const count = 500;
  for (let station = 0; station < count; station++) {
    alarms.raise({ key: "station-silent", subject: `S${station}`, facts: { station: `S${station}` } });
  }
  expect(alarms.live()).toHaveLength(count);
  expect(openAlarms(state, clock).live().length).toBeLessThan(count);
  diskHolds(100_000);
  alarms.tidy();
  expect(openAlarms(state, clock).live()).toHaveLength(count);
});
