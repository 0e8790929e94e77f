import { readFileSync } from "node:fs";
import { Fault } from "#protocol/faults.ts";
import { MISTAKE, mistake, tracesIn } from "./mistake.ts";
import { nearest } from "./nearest.ts";
import { settle, type Sources } from "./settings.ts";
import { languageOf, terminal } from "./terminal.ts";
import { helpOf } from "./verb.ts";
import { overview, VERBS } from "./verbs.ts";
import { version } from "./version.ts";

/** Reads the verb, settles its settings, runs it, and turns whatever goes wrong into one sentence and an exit code. */
export async function main(line: readonly string[]): Promise<number> {
  const environment = process.env;
  const asked = /(?:^|\s)--lang[ =](fr|en)/.exec(line.join(" "))?.[1] ?? environment["VIGIE_LANG"];
  const screen = terminal(process, languageOf(asked, environment));
  let traces = tracesIn(undefined);
  const tell = (problem: unknown): number => {
    const fault = problem instanceof Fault ? problem : mistake(problem, traces);
    screen.say(`vigie: ${fault.in(screen.language)}`);
    return fault === problem ? 2 : MISTAKE;
  };
  // A reader of our output that goes away (`| head`) is no failure of ours.
  process.stdout.on("error", (problem: NodeJS.ErrnoException) => {
    process.exit(problem.code === "EPIPE" ? 0 : tell(problem));
  });
  // Children end with the channel to their parent, so nothing is left running.
  process.on("uncaughtException", (problem) => process.exit(tell(problem)));
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
      if (first === "--version") {
        screen.out(version);
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
    const { data } = settings as { data?: string };
    traces = tracesIn(data);
    return await found.run({ settings, words, terminal: screen, sources });
  } catch (problem) {
    return tell(problem);
  }
}

function readFile(name: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch {
    throw new Fault("FILE_MISSING", { file: name });
  }
}
