import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";
import type { NightTown } from "./nightTown.ts";
import { nightTown, VILLAGE } from "./nightTown.ts";
import { mapDrawn, signedIn, visit } from "./person.ts";

describe.skipIf(browserPath === undefined)("the page says how things stand", () => {
  let town: NightTown;
  let browser: Browser;
  beforeAll(async () => {
    [town, browser] = await Promise.all([nightTown(VILLAGE, true), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await town?.stop();
  });

  test("while history is laid down it says how far, and goes on by itself when that is done", async () => {
    const context = await browser.newContext({ locale: "fr" });
    const page = await context.newPage();
    await page.goto(town.signInLink());
    await page.getByText("42 % faits").first().waitFor();
    town.api.progress(0.8);
    await page.getByText("80 % faits").first().waitFor();
    town.api.ready(town.server);
    await page.locator(".sentences li").first().waitFor();
    expect(await page.locator(".banner").count()).toBe(0);
    await context.close();
  });

  test("a one-time link works once and leaves the address at once", async () => {
    const link = town.signInLink();
    const first = await (await browser.newContext()).newPage();
    await first.goto(link);
    await first.locator(".sentences li").first().waitFor();
    expect(new URL(first.url())).toMatchObject({ pathname: "/", hash: "" });
    const second = await (await browser.newContext({ locale: "en" })).newPage();
    await second.goto(link);
    await second.locator(".problem").waitFor();
    expect(second.url()).not.toContain("#");
    await first.context().close();
    await second.context().close();
  });

  test("when the server falls silent it says since when, keeps what it knew, and recovers", async () => {
    const { page, context } = await signedIn(browser, town);
    await mapDrawn(page);
    await context.setOffline(true);
    await page.locator(".banner", { hasText: "does not answer since" }).waitFor({ timeout: 30_000 });
    expect(await page.locator(".sentences li").count()).toBe(4);
    await context.setOffline(false);
    await page.locator(".banner").waitFor({ state: "detached", timeout: 30_000 });
    await context.close();
  });

  test("a server that answers nothing while its stream stays open is missed within ten seconds", async () => {
    const { page, context } = await signedIn(browser, town);
    // The page's hours are ours from here on; the network neither breaks nor says that it did.
    await page.clock.install();
    await page.reload();
    await page.locator(".sentences li").first().waitFor();
    await page.clock.runFor(10_000);
    expect(await page.locator(".banner").count()).toBe(0);
    await page.route("**/api/v1/now", (route) => route.abort("timedout"));
    await page.clock.runFor(10_000);
    await page.locator(".banner", { hasText: "does not answer since" }).waitFor();
    await page.unroute("**/api/v1/now");
    await page.clock.runFor(10_000);
    await page.locator(".banner").waitFor({ state: "detached" });
    await context.close();
  });

  test("the slider shows the town as it was, and one click brings it back", async () => {
    const { page, context } = await signedIn(browser, town);
    await page.locator(".time input").focus();
    for (let step = 0; step < 8; step++) await page.keyboard.press("ArrowLeft");
    await page.locator(".banner", { hasText: "You see the town at 21:45" }).waitFor();
    expect(new URL(page.url()).searchParams.get("at")).toBe("2026-11-24T20:45:00.000Z");
    await page.getByRole("button", { name: "Back to now" }).click();
    await page.locator(".banner").waitFor({ state: "detached" });
    await context.close();
  });

  test("a change of language changes every word at once and is kept on this device", async () => {
    const { page, context } = await signedIn(browser, town);
    await visit(page, "/settings");
    await page.getByLabel("Français").check();
    await page.getByRole("heading", { name: "Réglages" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("fr");
    await page.reload();
    await page.getByRole("heading", { name: "Réglages" }).waitFor();
    await context.close();
  });

  test("with reduced motion the map shows levels as numbers", async () => {
    const { page, context } = await signedIn(browser, town);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.reload();
    await mapDrawn(page);
    await page.locator('[data-levels="numbers"]').waitFor({ state: "attached" });
    await context.close();
  });

  test("a viewer sees everything and is offered no order", async () => {
    await town.server.access.addAccount("visitor", "viewer", "a long password");
    const page = await (await browser.newContext({ locale: "en" })).newPage();
    await page.goto(`${town.url}/?why=L42`);
    await page.getByLabel("Name").fill("visitor");
    await page.getByLabel("Password").fill("a long password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".drawer .lead").waitFor();
    expect(await page.getByText("An operator or an administrator can take over.").count()).toBe(1);
    expect(await page.locator('[data-key="override"]').count()).toBe(0);
    await page.context().close();
  });
});
