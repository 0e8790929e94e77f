import { ALARM_KINDS } from "../alarm-kinds.ts";
import type { Alarm } from "../alarms.ts";
import { fill, isWord, sentence, type Facts, type Language } from "../console/dictionary.ts";
import type { JournalEntry } from "../journal.ts";
import type { Override } from "../overrides.ts";
import { type OwnPoint, point } from "./point.ts";

/** What happened in the journal, as a point that charts can be marked with. */
export function decisionPoint(entry: JournalEntry): OwnPoint {
  const { decision, name, subject, mode } = entry;
  const costs = decision.alternatives.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
  const { delay_s } = decision.evidence;
  return point(
    "decision",
    entry.at,
    { name, subject, mode, rule: decision.because, acted: entry.acted ? "yes" : "no" },
    {
      entry: entry.id,
      // A frame is judged by the delay that it foresees, as is what it refuses.
      cost: typeof delay_s === "number" ? delay_s : null,
      refused_cost: costs.length === 0 ? null : Math.min(...costs),
      ...sentences((language) => `${subject}: ${ruleSentence(decision.because, language, decision.evidence)}`),
    },
  );
}

/** A policy that was changed is a deployment, too. */
export function policyPoint(entry: JournalEntry): OwnPoint {
  const { subject, at, author = "?", decision } = entry;
  const { mode = entry.mode } = (decision.value ?? {}) as { mode?: string };
  return point(
    "deployment",
    at,
    { what: "policy", name: subject },
    {
      version: mode,
      text_en: `${author} set the policy ${subject} to ${mode}`,
      text_fr: `${author} a mis la politique ${subject} en ${mode}`,
    },
  );
}

export function alarmPoint(alarm: Alarm, event: "opened" | "cleared"): OwnPoint {
  const kind = ALARM_KINDS[alarm.key];
  return point(
    "alarm",
    event === "opened" ? alarm.raisedAt : (alarm.clearedAt ?? alarm.updatedAt),
    { key: alarm.key, severity: alarm.severity, event },
    {
      number: alarm.id,
      subject: alarm.subject,
      ...sentences((language) => fill(kind[language], language, alarm.facts as Facts)),
    },
  );
}

export function overridePoint(override: Override): OwnPoint {
  const { scope, state, author, reason, devices, until } = override;
  const ended = { active: ["takes over", "reprend la main sur"], released: ["gives back", "rend"], expired: ["no longer holds", "ne tient plus"] }; // prettier-ignore
  const [en, fr] = ended[state] as [string, string];
  return point(
    "override",
    state === "active" ? override.from : (override.endedAt ?? until),
    { scope: scope.kind, id: scope.id, state },
    {
      number: override.id,
      devices: devices.length,
      until_ms: until,
      author,
      reason,
      text_en: `${author} ${en} ${scope.kind} ${scope.id}: ${reason}`,
      text_fr: `${author} ${fr} ${scope.kind} ${scope.id} : ${reason}`,
    },
  );
}

function ruleSentence(rule: string, language: Language, evidence: unknown): string {
  const word = `rule.${rule}`;
  if (isWord(word)) return sentence(word, language, (evidence ?? {}) as Facts);
  return sentence("rule.unknown", language, { rule });
}

const sentences = (say: (language: Language) => string): { text_en: string; text_fr: string } => ({
  text_en: say("en"),
  text_fr: say("fr"),
});
