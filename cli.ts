#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Fault } from "#protocol/faults.ts";
import { nearest } from "#cli/nearest.ts";
import { settle, type Sources } from "#cli/settings.ts";
import { languageOf, terminal } from "#cli/terminal.ts";
import { helpOf } from "#cli/verb.ts";
import { overview, VERBS } from "#cli/verbs.ts";

/** The one door: reads the verb, settles its settings, runs it, and turns every fault into one sentence and an exit code. */
async function main(line: readonly string[]): Promise<number> {
  const environment = process.env;
  const asked = /(?:^|\s)--lang[ =](fr|en)/.exec(line.join(" "))?.[1] ?? environment["VIGIE_LANG"];
  const screen = terminal(process, languageOf(asked, environment));
  try {
    const found = VERBS.toSorted((a, b) => b.name.length - a.name.length).find(
      (verb) => line.slice(0, verb.name.split(" ").length).join(" ") === verb.name,
    );
    const first = line[0];
    if (found === undefined) {
      if (first === undefined || first === "--help" || first === "-h" || first === "help") {
        screen.out(overview(screen.language));
        return 0;
      }
      const near = nearest(first, VERBS.map(({ name }) => name)); // prettier-ignore
      throw new Fault("VERB_UNKNOWN", { verb: first, near });
    }
    const sources: Sources = {
      verb: found.name,
      arguments: line.slice(found.name.split(" ").length),
      environment,
      readFile,
    };
    const { settings, words } = settle([...found.settings, "lang", "settings", "help"], sources);
    if (settings.help) {
      screen.out(helpOf(found, screen.language));
      return 0;
    }
    if (found.words === undefined && words[0] !== undefined) {
      throw new Fault("OPTION_UNKNOWN", { option: words[0], near: "--help", verb: found.name });
    }
    return await found.run({ settings, words, terminal: screen, sources });
  } catch (problem) {
    if (!(problem instanceof Fault)) throw problem;
    screen.say(`vigie: ${problem.in(screen.language)}`);
    return 2;
  }
}

function readFile(name: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch {
    throw new Fault("FILE_MISSING", { file: name });
  }
}

// A reader of our output that goes away (`| head`) is no failure of ours.
process.stdout.on("error", (problem: NodeJS.ErrnoException) => {
  if (problem.code === "EPIPE") process.exit(0);
  throw problem;
});
process.exitCode = await main(process.argv.slice(2));
