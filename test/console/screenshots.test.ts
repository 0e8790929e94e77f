import { mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";
import type { NightTown } from "./nightTown.ts";
import { nightTown } from "./nightTown.ts";
import type { Device } from "./person.ts";
import { mapDrawn, signedIn, visit } from "./person.ts";
import { smaller } from "./smaller.ts";

/** VIGIE_PICTURES=1 writes the pictures of the documentation anew; otherwise they are made and thrown away. */
const folder =
  process.env["VIGIE_PICTURES"] === "1"
    ? new URL("../../docs/pictures/", import.meta.url).pathname
    : mkdtempSync(join(tmpdir(), "vigie-pictures-"));
const MOST_BYTES = 250_000;

interface Picture extends Device {
  readonly name: string;
  readonly path: (town: NightTown) => string;
  readonly act?: (page: Page, town: NightTown) => Promise<void>;
}

const round = (town: NightTown): string => {
  const plan = town.server.journal.latest("waste.rounds", "D1")?.decision.value as
    | { rounds: { id: string }[] }
    | undefined;
  return plan?.rounds[0]?.id ?? "";
};
const alarm = (town: NightTown): string =>
  String(town.server.alarms.list(["open"], 100).find((each) => each.key === "feeder-silent")?.id ?? "");
/** A lamp in the middle of the street that somebody walks along. */
const walked = (town: NightTown): string => {
  const { luminaires } = town.territory;
  return luminaires.filter((lamp) => lamp.street === luminaires[60]?.street)[3]?.id ?? "";
};
const walk = async (page: Page, town: NightTown): Promise<void> => {
  await town.someoneAt(walked(town));
  await page.locator(".drawer .lead", { hasText: /Someone|Quelqu/ }).waitFor();
};

const pictures: readonly Picture[] = [
  { name: "now-night", path: () => "/" },
  { name: "now-night-fr", language: "fr", path: () => "/" },
  { name: "now-day-fr", language: "fr", theme: "light", path: () => "/" },
  { name: "now-390-fr", language: "fr", width: 390, path: () => "/" },
  { name: "now-390-light", theme: "light", width: 390, path: () => "/" },
  { name: "map-390", width: 390, path: () => "/map" },
  { name: "list-390-fr", language: "fr", width: 390, path: () => "/list" },
  { name: "why-lamp", path: (town) => `/?why=${walked(town)}`, act: walk },
  { name: "why-lamp-390-fr", language: "fr", width: 390, path: (town) => `/?why=${walked(town)}`, act: walk },
  {
    name: "override-fr",
    language: "fr",
    path: (town) => `/?why=${walked(town)}`,
    act: async (page) => page.locator('[data-key="override"]').click(),
  },
  { name: "alarms", path: () => "/alarms" },
  { name: "alarm-fr", language: "fr", path: (town) => `/alarms/${alarm(town)}` },
  { name: "round", path: (town) => `/rounds/${round(town)}` },
  { name: "round-sheet-fr", language: "fr", theme: "light", path: (town) => `/rounds/${round(town)}/print` },
  { name: "junction", path: () => "/junctions/J3" },
  { name: "junction-390-fr", language: "fr", width: 390, theme: "light", path: () => "/junctions/J3" },
  { name: "decisions", path: () => "/decisions" },
  {
    name: "decision-fr",
    language: "fr",
    theme: "light",
    path: (town) => `/decisions/${town.server.journal.latest("traffic.frame", "J3")?.id}`,
  },
  { name: "devices-fr", language: "fr", path: () => "/devices" },
  { name: "trials", path: () => "/trials" },
  { name: "settings-fr", language: "fr", path: () => "/settings" },
];

describe.skipIf(browserPath === undefined)("pictures of the console", () => {
  let town: NightTown;
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    [town, browser] = await Promise.all([nightTown(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await town?.stop();
  });

  test.each(pictures)(
    "$name is drawn, without a complaint of the browser, in at most 250 kB",
    async ({ name, path, act, ...device }) => {
      const { page, context, complaints } = await signedIn(browser, town, device);
      const to = path(town);
      await visit(page, to);
      if (!to.endsWith("/print") && (device.width !== 390 || to === "/map")) await mapDrawn(page);
      await act?.(page, town);
      // Light fades in over 700 ms, and the map settles.
      await page.waitForTimeout(1200);
      const file = join(folder, `${name}.png`);
      const picture = await page.screenshot();
      const blank = await context.newPage();
      writeFileSync(file, await smaller(blank, picture));
      expect(statSync(file).size).toBeLessThanOrEqual(MOST_BYTES);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );
});
