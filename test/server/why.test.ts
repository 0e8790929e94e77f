import { expect, test } from "vitest";
import type { FrameInput } from "#control/traffic/frame.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, seconds } from "#protocol/units.ts";
import { explain } from "#server/why.ts";
import { streets } from "./streets.ts";

test("a held lamp says who holds it, until when, and what the machine would do", async () => {
  const place = await streets();
  await place.wait(seconds(60));
  const until = (place.now() + HOUR) as Instant;
  place.server.overrides.create({
    author: "ana",
    reason: "Something was lost here.",
    scope: { kind: "device", id: "L1" },
    order: { action: "lamp-override", level: 0.7 },
    until,
  });
  await place.wait(seconds(10));
  const why = explain(place.server, "L1");
  expect(why).toMatchObject({ because: "override", validUntil: until, override: { author: "ana" } });
  // Ten in the morning: without the hand the lamp is off.
  expect(why.machine).toEqual({ because: "daylight", value: { level: 0 } });
  expect(place.server.journal.show(why.entry ?? 0).name).toBe("lighting.programme");
});

test("an unknown device is said so", async () => {
  const place = await streets();
  expect(() => explain(place.server, "L9")).toThrow("There is no device L9.");
});

test("a loop that counted 300 vehicles in half an hour makes a flow of 600 an hour", async () => {
  const place = await streets();
  for (let minute = 0; minute <= 60; minute++) {
    place.set("D-W", "vehicles", minute * 10);
    await place.wait(seconds(60));
  }
  const entry = place.server.journal.latest("traffic.frame", "J1");
  // Ten a minute, reported each minute: the window holds 30 of its steps, give or take one.
  const inputs = entry?.inputs as FrameInput | undefined;
  expect(Math.abs((inputs?.flows["W"] ?? 0) - 600)).toBeLessThanOrEqual(20);
});
