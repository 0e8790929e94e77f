import type { Language } from "#protocol/faults.ts";
import type { Setting, SettingName, Settings, Sources } from "./settings.ts";
import { SETTINGS } from "./settings.ts";
import { folded } from "./columns.ts";
import type { Terminal } from "./terminal.ts";

/** One word after `vigie`: what it takes and what it does. The exit code is what `run` resolves to. */
export interface Verb<Names extends SettingName = SettingName> {
  readonly name: string;
  readonly en: string;
  readonly fr: string;
  /** Words it takes beside options, as shown in `--help`. */
  readonly words?: string;
  readonly settings: readonly Names[];
  run(call: Call<Names>): Promise<number>;
}

export interface Call<Names extends SettingName> {
  readonly settings: Settings<Names>;
  readonly words: readonly string[];
  readonly terminal: Terminal;
  readonly sources: Sources;
}

/** Keeps the names of the settings exact while verbs are listed side by side. */
export const verb = <const Names extends SettingName>(given: Verb<Names>): Verb => given;

/** The text of `--help`. */
export function helpOf({ name, en, fr, words, settings }: Verb, language: Language): string {
  const sentence = language === "fr" ? fr : en;
  const lines = settings.map((each) => optionLine(each, language));
  const width = Math.max(...lines.map(([option]) => option.length));
  const usage = `npx vigie ${name}${words === undefined ? "" : ` ${words}`} [options]`;
  const options = lines.map(([option, text]) => folded(`  ${option.padEnd(width)}  ${text}`, width + 4));
  return [folded(sentence), "", `  ${usage}`, "", ...options].join("\n");
}

function optionLine(name: SettingName, language: Language): [string, string] {
  const setting: Setting = SETTINGS[name];
  const negative = setting.kind === "flag" && setting.default;
  const value =
    setting.kind === "flag" ? "" : ` ${setting.kind === "choice" ? setting.choices.join("|") : setting.value}`;
  const preset = setting.kind === "flag" ? "" : defaultOf(setting);
  const text = language === "fr" ? setting.fr : setting.en;
  const sentence = negative ? `${language === "fr" ? "ne pas " : "do not "}${text}` : text;
  return [`--${negative ? "no-" : ""}${name}${value}`, `${sentence}${preset === "" ? "" : ` (${preset})`}`];
}

/** The default of a setting as a person would write it; empty when there is none. */
export function defaultOf(setting: Setting): string {
  if (setting.default === undefined) return "";
  if (setting.kind === "duration") return `${setting.default / 86_400}d`;
  return String(setting.default);
}
