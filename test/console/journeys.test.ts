import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser } from "./browser.ts";
import type { NightTown } from "./nightTown.ts";
import { nightTown, VILLAGE } from "./nightTown.ts";
import { signedIn } from "./person.ts";

/** Presses Tab until the focus is on what has these words; a person with no mouse does the same. */
async function tabTo(page: Page, words: string | RegExp, most = 80): Promise<void> {
  for (let step = 0; step < most; step++) {
    await page.keyboard.press("Tab");
    const text = await page.evaluate(() => {
      const on = document.activeElement;
      if (!(on instanceof HTMLElement) || on === document.body) return "";
      const label =
        on instanceof HTMLInputElement || on instanceof HTMLTextAreaElement ? on.labels?.[0]?.textContent : undefined;
      return on.getAttribute("aria-label") ?? label ?? on.innerText;
    });
    if (typeof words === "string" ? text.includes(words) : words.test(text)) return;
  }
  throw new Error(`Tab never came to ${words}`);
}

describe.skipIf(browserPath === undefined)("with the keyboard alone", () => {
  let town: NightTown;
  let browser: Browser;
  beforeAll(async () => {
    [town, browser] = await Promise.all([nightTown(VILLAGE), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await town?.stop();
  });

  test("an alarm is found, taken and resolved", async () => {
    const { page, context, complaints } = await signedIn(browser, town);
    await page.keyboard.press("2");
    await page.locator(".row.alarm").first().waitFor();
    await tabTo(page, "may overflow");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Take it" }).waitFor();
    await tabTo(page, "Note (added");
    await page.keyboard.type("Vehicle T1 is on its way");
    await tabTo(page, "Take it");
    await page.keyboard.press("Enter");
    await page.getByText("Acknowledged").first().waitFor();
    await page.getByRole("button", { name: "Resolve" }).waitFor();
    await page.locator("main").focus();
    await tabTo(page, "Resolve");
    await page.keyboard.press("Enter");
    await page.locator(".tag", { hasText: "Resolved" }).waitFor();

    const alarm = town.server.alarms.list(["resolved"], 100).find((each) => each.key === "container-near-overflow");
    expect(alarm?.owner).toBe("Anna");
    expect(alarm?.notes.map((note) => note.text)).toContain("Vehicle T1 is on its way");
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("a street is brightened for an hour with a reason, and given back with one key", async () => {
    const { page, context, complaints } = await signedIn(browser, town);
    const lamp = town.walked;
    const street = town.territory.streets.find((each) => each.id === lamp.street);
    if (street === undefined) throw new Error("the lamp stands in a street");
    await page.keyboard.press("/");
    await page.keyboard.type(street.name);
    // Containers and junctions bear the street's name too; its own row begins with it.
    await tabTo(page, new RegExp(`^${street.name}`));
    await page.keyboard.press("Enter");
    await page.locator(".drawer .value").waitFor();
    await page.keyboard.press("o");
    await page.locator("form.override").waitFor();
    await page.keyboard.type("Works in the street");
    await page.keyboard.press("Enter");
    await page.locator(".drawer .handle").waitFor();

    const [override] = town.server.overrides.active();
    expect(override).toMatchObject({
      author: "Anna",
      reason: "Works in the street",
      scope: { kind: "street", id: street.id },
      order: { level: 1 },
    });
    // An hour, as it was chosen before anybody touched it; the form was open for a moment.
    expect(((override?.until ?? 0) - (override?.from ?? 0)) / 60_000).toBeCloseTo(60, 0);
    await expect.poll(() => town.server.registry.value(lamp.id, "level")).toBe(1);

    await page.locator(".drawer h2").first().focus();
    await tabTo(page, "Give it back");
    await page.keyboard.press("Enter");
    await page.locator(".drawer .handle").waitFor({ state: "detached" });
    expect(town.server.overrides.active()).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("a round is printed: one sheet with a map, a line a stop and a box to tick", async () => {
    const { page, context, complaints } = await signedIn(browser, town);
    await page.keyboard.press("3");
    await page.getByText("Vehicle T1").waitFor();
    await tabTo(page, "Vehicle T1");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Print the sheet" }).waitFor();
    await tabTo(page, "Print the sheet");
    await page.keyboard.press("Enter");
    await page.locator(".sheet table").waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/rounds\/.+\/print$/);
    await page.evaluate(() => {
      Object.assign(globalThis, {
        printed: 0,
        print: () => ((globalThis as unknown as { printed: number }).printed += 1),
      });
    });
    await tabTo(page, "Print the sheet");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => (globalThis as unknown as { printed: number }).printed)).toBe(1);

    const boxes = await page.locator(".sheet .box", { hasText: "☐" }).count();
    const circles = await page.locator(".sheet svg circle").count();
    expect(boxes).toBeGreaterThan(3);
    expect(circles).toBe(boxes);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(5000);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("why a junction waits is asked and answered in a sentence, with what else was possible", async () => {
    const { page, context, complaints } = await signedIn(browser, town);
    await page.keyboard.press("4");
    await page.getByRole("heading", { name: "Junctions" }).waitFor();
    await tabTo(page, "J3 ·");
    await page.keyboard.press("Enter");
    await page.locator("svg.plan").waitFor();
    await page.keyboard.press("w");
    await page.locator(".drawer .lead").waitFor();
    expect(await page.locator(".drawer .value").innerText()).toContain("Longest wait");
    expect(await page.locator(".drawer .lead").innerText()).toMatch(/cycle|waiting/i);
    expect(await page.locator(".drawer .considered li").count()).toBeGreaterThan(0);
    expect(new URL(page.url()).search).toBe("?why=J3");
    await page.keyboard.press("Escape");
    await page.locator(".drawer").waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("a lamp that follows a passer-by says so at once, on the map and in the list", async () => {
    const { page, context, complaints } = await signedIn(browser, town);
    const lamp = town.walked;
    await page.goto(`${town.url}/?why=${lamp.id}`);
    const reason = page.locator(".drawer .lead");
    await expect.poll(() => reason.innerText(), { timeout: 10_000 }).toContain("Nobody is near");
    await town.someoneAt(lamp.id);
    await expect.poll(() => reason.innerText(), { timeout: 10_000 }).toContain("Someone is near");
    expect(await page.locator(".drawer .value b").innerText()).toMatch(/\d+/);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
