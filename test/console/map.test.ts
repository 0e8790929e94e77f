import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";
import type { NightTown } from "./nightTown.ts";
import { nightTown, VILLAGE } from "./nightTown.ts";
import { mapDrawn, signedIn, visit } from "./person.ts";

/** Share of the map's width and height over which something is drawn, as a screenshot shows it. */
async function extent(page: Page, blank: Page): Promise<{ wide: number; high: number }> {
  const png = await page.locator('[data-drawn="yes"]').screenshot();
  return blank.evaluate(
    async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const { width, height } = image;
      const pen = new OffscreenCanvas(width, height).getContext("2d") as OffscreenCanvasRenderingContext2D;
      pen.drawImage(image, 0, 0);
      const { data } = pen.getImageData(0, 0, width, height);
      const columns = new Set<number>();
      const rows = new Set<number>();
      // Below, the legend shows a lamp, too.
      for (let at = 0; at < data.length - 84 * width * 4; at += 4) {
        // The light of lamps: nothing else at night is so much redder than blue.
        if ((data[at] as number) - (data[at + 2] as number) < 60) continue;
        columns.add((at / 4) % width);
        rows.add(Math.floor(at / 4 / width));
      }
      const span = (found: Set<number>): number => Math.max(...found) - Math.min(...found);
      return { wide: span(columns) / width, high: span(rows) / height };
    },
    `data:image/png;base64,${png.toString("base64")}`,
  );
}

describe.skipIf(browserPath === undefined)("the map", () => {
  let town: NightTown;
  let browser: Browser;
  beforeAll(async () => {
    [town, browser] = await Promise.all([nightTown(VILLAGE), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await town?.stop();
  });

  test("shows the whole town as large as the screen lets it, also where it was hidden when it was made", async () => {
    const { page, context } = await signedIn(browser, town, { width: 390 });
    const blank = await context.newPage();
    await page.bringToFront();
    await visit(page, "/map");
    await mapDrawn(page);
    const upright = await extent(page, blank);
    expect(Math.max(upright.wide, upright.high)).toBeGreaterThan(0.75);
    await page.setViewportSize({ width: 844, height: 600 });
    await mapDrawn(page);
    const turned = await extent(page, blank);
    expect(Math.max(turned.wide, turned.high)).toBeGreaterThan(0.6);
    await context.close();
  });
});
