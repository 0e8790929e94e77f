import { expect, test } from "vitest";
import { kills, negativeControl } from "../../bench/ingest.ts";

const STATIONS = 200;

test("five times kill -9 under load: nothing that was acknowledged is lost, nothing is stored twice", async () => {
  const [lost, twice, acknowledged] = await kills(5, STATIONS);
  expect([lost?.value, twice?.value]).toEqual([0, 0]);
  expect(acknowledged?.value).toBeGreaterThan(0);
});

test("with acknowledgement before the commit the same check finds the loss", async () => {
  expect((await negativeControl(STATIONS)).value).toBeGreaterThan(0);
});
