import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** The table of docs/architecture.md as data: what a folder may import beside itself. */
const LAYERS: Record<string, { folders: readonly string[]; node: boolean; packages: boolean }> = {
  protocol: { folders: [], node: false, packages: false },
  control: { folders: ["protocol"], node: false, packages: false },
  edge: { folders: ["protocol", "control"], node: true, packages: true },
  server: { folders: ["protocol", "control"], node: true, packages: true },
  simulators: { folders: ["protocol", "edge"], node: true, packages: true },
  dashboards: { folders: ["protocol"], node: true, packages: true },
  rehearsal: { folders: ["protocol", "control", "edge", "server", "simulators"], node: true, packages: true },
};
const root = normalize(join(import.meta.dirname, ".."));

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] as string);
}

/** The folder or family that a specifier leads to, as seen from `file`. */
function target(file: string, specifier: string): string {
  if (specifier.startsWith("node:")) return "node:";
  if (specifier.startsWith("#")) return specifier.slice(1).split("/")[0] as string;
  if (specifier.startsWith(".")) return join(dirname(file), specifier).split("/")[0] as string;
  return "package";
}

for (const [folder, allowed] of Object.entries(LAYERS)) {
  test(`${folder} imports only what its layer may`, () => {
    const forbidden = sources(folder).flatMap((file) =>
      imports(file)
        .filter((specifier) => {
          const to = target(file, specifier);
          if (to === folder) return false;
          if (to === "node:") return !allowed.node;
          if (to === "package") return !allowed.packages;
          return !allowed.folders.includes(to);
        })
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(forbidden).toEqual([]);
  });
}

/** The thin files that are the real clock, chance and disk; everything else in edge and server gets them as arguments. */
const REAL_PORTS = /^(edge\/ports\/|edge\/main\.ts|server\/ports\/|server\/main\.ts|server\/console\/)/;
const REACHES = /\b(Date\.now|Math\.random|performance\.now|new Date\(\)|setTimeout|setInterval|setImmediate)\b/;

test("clock and chance are arguments: nothing outside the real ports reaches for the system's", () => {
  const reaching = ["protocol", "control", "edge", "server"]
    .flatMap(sources)
    .filter((file) => !REAL_PORTS.test(file))
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .flatMap((line, index) =>
          REACHES.test(line) && !/^\s*(\*|\/\/)/.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [],
        ),
    );
  expect(reaching).toEqual([]);
});

test("no folder or file is a drawer for anything", () => {
  const drawers = Object.keys(LAYERS)
    .flatMap(sources)
    .filter((file) => /(^|\/)(utils?|common|helpers?|manager)(\.ts$|\/)/.test(file));
  expect(drawers).toEqual([]);
});
