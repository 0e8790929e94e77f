import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { references } from "./references.ts";
import { verb } from "./verb.ts";

export const docs = verb({
  name: "docs",
  en: "writes the reference pages that are made from the code",
  fr: "écrit les pages de référence tirées du code",
  settings: [],
  run({ terminal }) {
    const root = join(import.meta.dirname, "..");
    for (const [file, text] of references()) {
      mkdirSync(join(root, file, ".."), { recursive: true });
      writeFileSync(join(root, file), text);
      terminal.say(file);
    }
    return Promise.resolve(0);
  },
});
