import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";
import type { NightTown } from "./nightTown.ts";
import { nightTown, VILLAGE } from "./nightTown.ts";
import { signedIn, visit } from "./person.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [1280, 390] as const;
const devices = (["en", "fr"] as const).flatMap((language) =>
  (["dark", "light"] as const).flatMap((theme) => WIDTHS.map((width) => ({ language, theme, width }))),
);

describe.skipIf(browserPath === undefined)("axe-core finds nothing on any screen", () => {
  let town: NightTown;
  let browser: Browser;
  let screens: string[];
  beforeAll(async () => {
    [town, browser] = await Promise.all([nightTown(VILLAGE), openBrowser()]);
    const alarm = town.server.alarms.list(["open"], 1)[0]?.id;
    const decision = town.server.journal.latest("lighting.programme", town.territory.luminaires[0]?.street ?? "")?.id;
    const rounds = town.server.journal.latest("waste.rounds", "D1")?.decision.value as
      | { rounds: { id: string }[] }
      | undefined;
    const round = rounds?.rounds[0]?.id;
    screens = [
      "/", "/alarms", `/alarms/${alarm}`, "/rounds", `/rounds/${round}`, "/junctions", "/junctions/J3", "/decisions", `/decisions/${decision}`,
      "/devices", "/trials", "/settings", "/map", "/list", "/?why=L42", "/?why=C12", "/junctions/J3?why=J3", `/?why=${town.territory.luminaires[0]?.street}`, `/rounds/${round}/print`,
    ]; // prettier-ignore
  });
  afterAll(async () => {
    await browser?.close();
    await town?.stop();
  });

  test.each(devices)("in $language, $theme, $width px", async (device) => {
    const { page, context, complaints } = await signedIn(browser, town, device);
    await page.evaluate(axe);
    const found: string[] = [];
    for (const screen of screens) {
      await visit(page, screen);
      if (screen.includes("why=L42"))
        await page
          .getByRole("button", { name: /Take over|Reprendre/ })
          .first()
          .click();
      // What MapLibre draws is one picture; its words are in the list beside it.
      const violations = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run(document, {
          resultTypes: ["violations"],
        });
        return violations.map(
          (each) =>
            `${each.id}: ${each.nodes
              .map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`)
              .slice(0, 3)
              .join(" | ")}`,
        );
      });
      found.push(...violations.map((each) => `${screen} ${each}`));
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (wider > 0) found.push(`${screen} is ${wider} px wider than the window`);
    }
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("and at 200 % zoom nothing is cut off and everything can be done", async () => {
    // A window of 1280 by 800 at 200 % has room for half as many pixels of the page each way.
    const { page, context, complaints } = await signedIn(browser, town, { zoom: 2 });
    const cut: string[] = [];
    for (const screen of screens) {
      await visit(page, screen);
      cut.push(
        ...(
          await page.evaluate(() =>
            [...document.querySelectorAll<HTMLElement>("h1, h2, button, a, input, label, td")]
              .filter((each) => each.checkVisibility() && each.closest(".apart, .skip, .maplibregl-map") === null)
              .filter((each) => {
                const { left, right } = each.getBoundingClientRect();
                return left < -1 || right > innerWidth + 1;
              })
              .map((each) => each.outerHTML.slice(0, 80)),
          )
        ).map((each) => `${screen} ${each}`),
      );
    }
    expect(cut).toEqual([]);
    await visit(page, `/?why=${town.walked.id}`);
    await page.locator('[data-key="override"]').click();
    await page.locator("form.override textarea, form.override input:not([type=radio])").first().fill("Works");
    await page.locator("form.override button[type=submit]").click();
    await page.locator(".drawer .handle").waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("and none at the door, where nobody is signed in", async () => {
    const context = await browser.newContext({ locale: "fr" });
    const page = await context.newPage();
    await page.goto(town.url);
    await page.getByRole("button", { name: "Se connecter" }).waitFor();
    await page.evaluate(axe);
    const found = await page.evaluate(async () =>
      (await (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run(document)).violations.map(
        (each) => each.id,
      ),
    );
    expect(found).toEqual([]);
    await context.close();
  });
});
