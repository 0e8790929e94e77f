import { expect, test } from "vitest";
import { allDown, down, mayPublish, maySubscribe, parseTopic, streetTopic, up } from "#protocol/topics.ts";

const streets = new Set(["R1"]);

test("a topic is read back into what it was made of", () => {
  expect(parseTopic(up("t", "S1", "readings"))).toEqual({
    tree: "up",
    territory: "t",
    station: "S1",
    leaf: "readings",
  });
  expect(parseTopic(streetTopic("t", "R1"))).toEqual({ tree: "street", territory: "t", street: "R1" });
  expect(parseTopic("vigie/1/t/S1/up/readings/more")).toBeUndefined();
  expect(parseTopic("something/else")).toBeUndefined();
});

test("a station speaks under its own name and on its own streets only", () => {
  expect(mayPublish(up("t", "S1", "readings"), "t", "S1", streets)).toBe(true);
  expect(mayPublish(up("t", "S2", "readings"), "t", "S1", streets)).toBe(false);
  expect(mayPublish(down("t", "S1", "command"), "t", "S1", streets)).toBe(false);
  expect(mayPublish(up("other", "S1", "readings"), "t", "S1", streets)).toBe(false);
  expect(mayPublish(streetTopic("t", "R1"), "t", "S1", streets)).toBe(true);
  expect(mayPublish(streetTopic("t", "R2"), "t", "S1", streets)).toBe(false);
});

test("a station hears its own commands and streets, and no wildcard opens more", () => {
  expect(maySubscribe(allDown("t", "S1"), "t", "S1", streets)).toBe(true);
  expect(maySubscribe(allDown("t", "S2"), "t", "S1", streets)).toBe(false);
  expect(maySubscribe("vigie/1/t/+/down/#", "t", "S1", streets)).toBe(false);
  expect(maySubscribe("#", "t", "S1", streets)).toBe(false);
  expect(maySubscribe("vigie/1/t/street/+", "t", "S1", streets)).toBe(false);
  expect(maySubscribe(streetTopic("t", "R1"), "t", "S1", streets)).toBe(true);
});
