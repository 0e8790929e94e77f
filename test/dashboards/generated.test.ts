import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "../../dashboards/files.ts";

const FOLDER = join(import.meta.dirname, "../../dashboards/grafana");

test("what is committed for Grafana is what the dashboards' code writes (npm run dashboards)", () => {
  const committed = readdirSync(FOLDER, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length + 1));
  const generated = generatedFiles();
  expect(committed.toSorted()).toEqual([...generated.keys()].toSorted());
  for (const [name, content] of generated) expect(readFileSync(join(FOLDER, name), "utf8"), name).toBe(content);
});
