import { browserPath, openBrowser } from "../test/console/browser.ts";
import { nightTown } from "../test/console/nightTown.ts";
import { mapDrawn, signedIn } from "../test/console/person.ts";
import type { Row } from "./row.ts";

const LAMPS = 1000;
const WATCHED_MS = 5000;
const SETTLE_MS = 3000;
/** Somebody comes to another lamp this often: something is always on its way to another level. */
const STEP_MS = 200;

/**
 * The console in a real Chromium that draws in software: how soon the four sentences are there, and how many frames a
 * second the map draws while lamps brighten and dim all over a town of a thousand. Empty where there is no Chromium.
 */
export async function run(): Promise<Row[]> {
  if (browserPath === undefined) return [];
  const [town, browser] = await Promise.all([nightTown({ lamps: LAMPS }), openBrowser()]);
  try {
    const { page, context } = await signedIn(browser, town);
    const paints: number[] = [];
    for (let visit = 0; visit < 5; visit++) {
      await page.reload({ waitUntil: "commit" });
      // Counted by the page from the moment it was asked for until the four sentences stand there.
      paints.push(
        await page.evaluate(
          () =>
            new Promise<number>((done) => {
              const look = (): void => {
                if (document.querySelectorAll(".sentences li").length === 4) done(performance.now());
                else requestAnimationFrame(look);
              };
              look();
            }),
        ),
      );
    }
    await mapDrawn(page);
    await page.waitForTimeout(SETTLE_MS);
    const counting = page.evaluate(
      (watched_ms) =>
        new Promise<number>((done) => {
          let frames = 0;
          const start = performance.now();
          const count = (): void => {
            frames++;
            const passed = performance.now() - start;
            if (passed < watched_ms) requestAnimationFrame(count);
            else done((frames * 1000) / passed);
          };
          requestAnimationFrame(count);
        }),
      WATCHED_MS,
    );
    for (let step = 0; step < WATCHED_MS / STEP_MS; step++) {
      await page.waitForTimeout(STEP_MS);
      const lamp = town.territory.luminaires[(step * 83) % LAMPS];
      if (lamp !== undefined) await town.someoneAt(lamp.id);
    }
    const frames = await counting;
    await context.close();
    paints.sort((one, other) => one - other);
    return [
      { what: "console: page asked for until its four sentences stand, on loopback, median of 5", value: paints[2] ?? Number.NaN, unit: "ms", aim: 1000, better: "less" },
      { what: `console: frames a second with ${LAMPS} lamps, drawn in software`, value: frames, unit: "1/s", aim: 30, better: "more" },
    ]; // prettier-ignore
  } finally {
    await browser.close();
    await town.stop();
  }
}
