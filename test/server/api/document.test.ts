import { expect, test } from "vitest";
import { townHall } from "./townHall.ts";

// oxlint-disable-next-line typescript/no-explicit-any
type Node = any;

/** Walks every object and list of a document. */
function* nodes(node: Node, path: string): Generator<[path: string, node: Node]> {
  if (typeof node !== "object" || node === null) return;
  yield [path, node];
  for (const [key, child] of Object.entries(node)) yield* nodes(child, `${path}/${key}`);
}

test("the OpenAPI document is whole: every operation described, every parameter named in its path, every reference there", async () => {
  const hall = await townHall();
  const document = (await hall.get("/api/v1", {})).body;
  expect((await hall.get("openapi.json", {})).body).toEqual(document);
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({ title: "Vigie", version: "test", license: { identifier: "Apache-2.0" } });
  const operations: string[] = [];
  for (const [path, item] of Object.entries<Node>(document.paths)) {
    for (const [method, operation] of Object.entries<Node>(item)) {
      operations.push(`${method.toUpperCase()} ${path}`);
      expect(operation.summary, `${method} ${path}`).toMatch(/\w/);
      expect(operation.tags, `${method} ${path}`).toHaveLength(1);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const named = (operation.parameters ?? [])
        .filter((each: Node) => each.in === "path")
        .map((each: Node) => each.name);
      expect(named, `${method} ${path}`).toEqual(inPath);
      for (const parameter of operation.parameters ?? [])
        expect(parameter.schema, `${method} ${path}`).toBeTypeOf("object");
      for (const [status, response] of Object.entries<Node>(operation.responses)) {
        expect(status).toMatch(/^(\d{3}|default)$/);
        expect(response.description, `${method} ${path} ${status}`).toMatch(/\w/);
      }
    }
  }
  expect(operations).toContain("PATCH /api/v1/alarms/{id}");
  expect(operations).toContain("GET /api/v1/devices/{id}/why");
  expect(operations.length).toBeGreaterThan(35);
  for (const [path, node] of nodes(document, "#")) {
    if (typeof node.$ref !== "string") continue;
    const target = node.$ref
      .slice(2)
      .split("/")
      .reduce((at: Node, key: string) => at?.[key], document);
    expect(target, `${path} refers to ${node.$ref}`).toBeDefined();
  }
});

test("each operation says how it can refuse: as a problem", async () => {
  const hall = await townHall();
  const document = (await hall.get("/api/v1", {})).body;
  for (const item of Object.values<Node>(document.paths)) {
    for (const operation of Object.values<Node>(item)) {
      expect(Object.keys(operation.responses["default"].content)).toEqual(["application/problem+json"]);
    }
  }
  expect((await hall.get("problems/NOT_READY", {})).body).toMatchObject({
    status: 503,
    fr: expect.stringContaining("serveur"),
  });
});

test("Prometheus reads the metrics: each sample belongs to a family that says what it is", async () => {
  const hall = await townHall();
  await hall.report("S-L1", [["L1", "level", 0.4], ["L1", "level", 40]]); // prettier-ignore
  await hall.get("devices");
  const { text, headers } = await hall.get("/metrics", {});
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const families = new Map<string, string>();
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE (\w+) (counter|gauge)$/.exec(line);
    if (type !== null) families.set(type[1] ?? "", type[2] ?? "");
    if (line.startsWith("#")) continue;
    const sample = /^(\w+)(?:\{(\w+="[^"]*",?)+\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line);
    expect(sample, line).not.toBeNull();
    expect(families.has(sample?.[1] ?? ""), line).toBe(true);
  }
  expect(text).toContain("vigie_readings_stored_total 1\n");
  expect(text).toContain('vigie_quarantined_total{code="VALUE_OUT_OF_RANGE"} 1\n');
  expect(text).toContain("vigie_stations_online 1\n");
});

test("metrics are for this machine, or for a key", async () => {
  const hall = await townHall();
  const outside = { "x-forwarded-for": "192.0.2.7" };
  expect((await hall.get("/metrics", outside)).status).toBe(401);
  expect((await hall.get("/metrics", { ...outside, ...hall.as("viewer") })).status).toBe(200);
});
