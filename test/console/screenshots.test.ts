import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";
import type { NightTown } from "./nightTown.ts";
import { nightTown } from "./nightTown.ts";
import { mapDrawn, signedIn, visit } from "./person.ts";
import { smaller } from "./smaller.ts";

/** VIGIE_PICTURES=1 writes the pictures of the documentation anew; otherwise they are made and thrown away. */
const WRITING = process.env["VIGIE_PICTURES"] === "1";
const FOLDER = new URL("../../docs/pictures/", import.meta.url).pathname;
const MOST_BYTES = 150_000;
/** Light takes this long from one level to another. */
const FADE_ms = 900;

interface Picture {
  readonly name: string;
  readonly path: (town: NightTown) => string;
  readonly light?: boolean;
  readonly act?: (page: Page, town: NightTown) => Promise<void>;
}

const round = (town: NightTown): string => {
  const plan = town.server.journal.latest("waste.rounds", "D1")?.decision.value as
    | { rounds: { id: string }[] }
    | undefined;
  return plan?.rounds[0]?.id ?? "";
};
const feeder = (town: NightTown): string =>
  String(town.server.alarms.list(["open"], 100).find((each) => each.key === "feeder-silent")?.id ?? "");

const pictures: readonly Picture[] = [
  { name: "now", path: () => "/" },
  { name: "alarms", path: (town) => `/alarms/${feeder(town)}` },
  { name: "rounds", path: (town) => `/rounds/${round(town)}` },
  { name: "junction", path: () => "/junctions/J3" },
  { name: "decisions", path: () => "/decisions" },
  { name: "devices", path: () => "/devices" },
  { name: "map", path: () => "/map" },
  { name: "list", path: () => "/list" },
  { name: "now-day", path: () => "/", light: true },
  { name: "round-sheet", path: (town) => `/rounds/${round(town)}/print`, light: true },
  {
    name: "why-lamp",
    path: (town) => `/?why=${town.walked.id}`,
    async act(page, town) {
      // As who follows a link does: the town opens at this lamp.
      await page.goto(`${town.url}/?why=${town.walked.id}`);
      await page.locator(".drawer .lead").waitFor();
      if (page.viewportSize()?.width !== 390) await mapDrawn(page);
      await town.someoneAt(town.walked.id);
      await page.locator(".drawer .lead", { hasText: /Someone|Quelqu/ }).waitFor();
      await page.waitForTimeout(FADE_ms);
    },
  },
  {
    name: "override",
    path: (town) => `/?why=${town.walked.id}`,
    act: (page) => page.locator('[data-key="override"]').click(),
  },
];

/** The page hears of another theme when it draws its next frame; only then does its map begin to be drawn anew. */
async function turnTo(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.evaluate(
    () => new Promise<void>((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn()))),
  );
}

describe.skipIf(browserPath === undefined)("pictures of the console", () => {
  let town: NightTown;
  let browser: Browser;
  beforeAll(async () => {
    [town, browser] = await Promise.all([nightTown(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await town?.stop();
  });

  const widths = (["en", "fr"] as const).flatMap((language) =>
    ([1280, 390] as const).map((width) => ({ language, width })),
  );
  test.each(widths)(
    "are drawn in $language, $width px wide, without a complaint of the browser, and kept in 150 kB each",
    async ({ language, width }) => {
      const { page, context, complaints } = await signedIn(browser, town, { language, width });
      const blank = await context.newPage();
      const missing: string[] = [];
      for (const { name, path, light = false, act } of pictures) {
        // On a wide screen the town is beside everything already.
        if ((name === "map" || name === "list") && width !== 390) continue;
        await page.bringToFront();
        await turnTo(page, light ? "light" : "dark");
        const to = path(town);
        await visit(page, to);
        if (to === "/map" || (width !== 390 && !to.endsWith("/print"))) await mapDrawn(page);
        await act?.(page, town);
        const picture = await page.screenshot();
        const file = join(FOLDER, `${name}-${language}-${width}.png`);
        if (WRITING) writeFileSync(file, await smaller(blank, picture));
        if (!existsSync(file) || statSync(file).size > MOST_BYTES) missing.push(file);
      }
      expect(missing).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    },
    120_000,
  );
});
