import { expect, test } from "vitest";
import { describeDevices } from "#server/store/describe.ts";
import { village } from "../village.ts";

const describe = describeDevices(village);

test("a lamp is seen with its station, its street and that street's zone", () => {
  expect(describe("L1")).toEqual({
    measurement: "lamp",
    tags: { device: "L1", station: village.devices.get("L1")?.station, street: "R1", zone: "north" },
  });
});

test("a container has its stream, a loop its junction and signal group", () => {
  expect(describe("C1")).toMatchObject({ measurement: "container", tags: { stream: "residual" } });
  expect(describe("D-W")).toEqual({
    measurement: "loop",
    tags: { device: "D-W", group: "W", junction: "J1", station: "S-J1" },
  });
});

test("every device of the village is described, tags in order and none empty; a stranger is not", () => {
  for (const device of village.devices.keys()) {
    const tags = Object.entries(describe(device)?.tags ?? {});
    expect(tags.map(([key]) => key)).toEqual(tags.map(([key]) => key).sort());
    expect(tags.filter(([, value]) => value === "")).toEqual([]);
    expect(describe(device)?.tags["device"]).toBe(device);
  }
  expect(describe("L99")).toBe(undefined);
});
