import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { references } from "./references.ts";
import type { Call } from "./verb.ts";

/** Writes the pages of docs/ that are made from the code. */
export function docs({ terminal }: Call<never>): number {
  const root = join(import.meta.dirname, "..");
  for (const [file, text] of references()) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
    terminal.say(file);
  }
  return 0;
}
