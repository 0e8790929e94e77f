import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { references } from "#cli/references.ts";

const root = join(import.meta.dirname, "..");
const pages = ["README.md", "CHANGELOG.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith(".md") && existsSync(join(root, name)),
);
const read = (page: string): string => readFileSync(join(root, page), "utf8");

test("the reference pages are what the code says; npx vigie docs writes them anew", () => {
  for (const [page, text] of references()) expect(read(page), page).toBe(text);
});

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchors = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1] as string));

test("every relative link and anchor in the documentation leads somewhere", () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] as string)
      .filter((link) => !/^(https?:|mailto:)/.test(link))
      .filter((link) => {
        const [file = "", fragment] = link.split("#");
        const target = file === "" ? page : join(dirname(page), file);
        if (!existsSync(join(root, target))) return true;
        return fragment !== undefined && target.endsWith(".md") && !anchors(target).includes(fragment);
      })
      .map((link) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});
