import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generatedTown } from "#cli/territory.ts";
import { descendants, endAll, type Place, place, start, vigie } from "./running.ts";

let here: Place;
beforeEach(() => (here = place()));
afterEach(async () => {
  await endAll();
  here.remove();
});

/** What a start that cannot be says: one sentence that names the thing, exit code 2, and no stack trace. */
async function refusal(...words: string[]): Promise<string> {
  const server = vigie(["start", ...words]);
  expect(await Promise.race([server.ended, server.says(/Ctrl-C stops/)])).toEqual({ code: 2, signal: null });
  expect(server.out()).toBe("");
  expect(server.err().split("\n"), server.err()).toHaveLength(2);
  return server.err().trimEnd();
}
const free = ["--port", "0", "--mqtt-port", "0"];
const mine = (): string[] => ["--data", here.data, "--territory", here.territory];

async function whileTaken(use: (port: string) => Promise<void>): Promise<void> {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port));
  });
  try {
    await use(String(port));
  } finally {
    other.close();
  }
}

test("the page's port is taken", async () => {
  await whileTaken(async (port) => {
    expect(await refusal(...mine(), "--port", port, "--mqtt-port", "0")).toBe(
      `vigie: Port ${port} is already in use on 127.0.0.1. Stop the other program or choose another with --port.`,
    );
  });
});

test("the broker's port is taken: said before any past is rehearsed", async () => {
  await whileTaken(async (port) => {
    expect(await refusal(...mine(), "--port", "0", "--mqtt-port", port, "--history", "40d")).toContain(
      `Port ${port} is already in use on 127.0.0.1. Stop the other program or choose another with --mqtt-port.`,
    );
  });
});

test("an address that is none of this machine's", async () => {
  expect(await refusal(...mine(), ...free, "--host", "192.0.2.1")).toContain(
    "--host is 192.0.2.1; expected an address of this machine, such as 127.0.0.1",
  );
});

test("the data directory is a file", async () => {
  const file = join(here.directory, "file");
  writeFileSync(file, "");
  expect(await refusal(...free, "--data", file)).toContain(
    `The directory ${file} cannot be written: it is a file, not a directory.`,
  );
});

test("the data was written by a newer version", async () => {
  mkdirSync(here.data);
  writeFileSync(join(here.data, "format"), "99\n");
  expect(await refusal(...free, ...mine())).toContain("was written by a newer version (format 99; this one knows 1)");
});

test("the data belongs to another town, and stays that town's", async () => {
  const first = start(here, "--no-town");
  await first.says(/Ctrl-C stops/);
  await first.stop();
  const other = join(here.directory, "other.geojson");
  writeFileSync(other, JSON.stringify(generatedTown({ seed: 6, lamps: 12, containers: 2, junctions: 1 }).geojson));
  expect(await refusal(...free, "--data", here.data, "--territory", other)).toContain("belongs to the territory");
  const again = start(here, "--no-town");
  await again.says(/Ctrl-C stops/);
});

test("two servers in one directory: the second is told the first's process", async () => {
  const first = start(here, "--no-town");
  await first.says(/Ctrl-C stops/);
  expect(await refusal(...free, ...mine())).toContain(
    `Another vigie (process ${first.pid}) uses the data in ${here.data}`,
  );
  expect(descendants(first.pid)).toEqual([]);
});

test("a territory with a mistake: the feature and the property are named", async () => {
  const { geojson } = generatedTown({ seed: 5, lamps: 12, containers: 2, junctions: 1 });
  const features = geojson.features as unknown as { properties: Record<string, unknown> }[];
  const lamp = features.find(({ properties }) => properties["type"] === "luminaire" || "power_W" in properties);
  Object.assign(lamp?.properties ?? {}, { power_W: "much" });
  writeFileSync(here.territory, JSON.stringify(geojson));
  expect(await refusal(...free, ...mine())).toMatch(/property .*power_W/);
});

test("a file that is not there, an option that is not there, a value that cannot be", async () => {
  expect(await refusal("--territory", "/nowhere.geojson")).toContain("There is no file /nowhere.geojson.");
  expect(await refusal("--prot", "1")).toContain("There is no option --prot. Did you mean --port?");
  expect(await refusal("--history", "soon")).toContain("--history is soon; expected a duration like 90m, 48h or 2d");
}, 30_000);

test("a broker elsewhere that does not answer", async () => {
  const server = start(here, "--broker", "mqtt://127.0.0.1:1", "--no-town");
  expect(await server.ended).toEqual({ code: 2, signal: null });
  expect(server.err()).toContain("vigie: The broker at mqtt://127.0.0.1:1 does not answer: ");
});
