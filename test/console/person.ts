import type { Browser, BrowserContext, Page } from "playwright-core";
import type { NightTown } from "./nightTown.ts";

/** How somebody looks at the page: the language and theme of the device, and its width. */
export interface Device {
  readonly language?: "en" | "fr";
  readonly theme?: "dark" | "light";
  readonly width?: 1280 | 390;
  /** How far the browser is zoomed in: 2 is 200 %. */
  readonly zoom?: number;
}

/** A page on which Anna, an administrator, is signed in, and what went wrong on it. */
export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, words on its console and refused requests: none when all is well. */
  readonly complaints: string[];
}

export async function signedIn(browser: Browser, town: NightTown, device: Device = {}): Promise<Person> {
  const { language = "en", theme = "dark", width = 1280, zoom = 1 } = device;
  const context = await browser.newContext({
    viewport: { width: width / zoom, height: (width === 390 ? 844 : 800) / zoom },
    deviceScaleFactor: zoom,
    locale: language,
    colorScheme: theme,
    reducedMotion: "no-preference",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  await page.goto(town.signInLink());
  await page.locator(".sentences li").first().waitFor();
  // Before the link was redeemed nobody was signed in, and the browser says so.
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  return { page, context, complaints };
}

/** Goes to an address inside the page, as a link would. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
  await page.waitForFunction(() => document.querySelector('[role="status"].empty') === null);
}

/** Waits until the map is drawn, where there is one. */
export const mapDrawn = (page: Page) =>
  page.locator('[data-drawn="yes"]').waitFor({ state: "attached", timeout: 20_000 });
