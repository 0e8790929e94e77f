import type { Evidence, Why } from "../api/resources.ts";
import { dayTime, distance, duration, number, percent, quantity } from "./format.ts";
import { say, sayNamed } from "./language.ts";

/** Turns what a decision recorded into words: rules into sentences, facts into labelled values. */
export function ruleSentence(because: string, evidence: Evidence = {}): string {
  const facts: Record<string, string> = {};
  for (const [name, value] of Object.entries(evidence)) facts[name] = factText(name, value);
  return sayNamed("rule", because, facts, say("rule.unknown", { rule: because }));
}

/** “below-class” as the reason why an alternative was not taken. */
export const refusedSentence = (refused: string): string =>
  sayNamed("refused", refused, {}, sayNamed("rule", refused, {}, refused));

/** The evidence as label and text; what is null or only repeats the subject is left out. */
export function factRows(evidence: Evidence): readonly (readonly [label: string, text: string])[] {
  return Object.entries(evidence)
    .filter(([name, value]) => value !== null && name !== "street" && name !== "junction" && name !== "depot")
    .sort(([one], [other]) => weight(one) - weight(other))
    .map(([name, value]) => [factLabel(name), factText(name, value)] as const);
}

/** What decides now stands before what was known when the night was planned. */
const FIRST = [
  "stage",
  "mode",
  "longest_wait_s",
  "queue",
  "q50",
  "q90",
  "eta",
  "risk",
  "idle_level",
  "active_level",
  "hold_s",
  "last_counted_at",
  "floor",
  "power_W",
  "delay_s",
  "flow_veh_h",
  "flow_ratio",
  "energy_share",
  "visited",
  "containers",
];
const weight = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

function factLabel(name: string): string {
  const hours = /^hours_(\w+)$/.exec(name);
  if (hours !== null) return say("fact.hours-in-class", { name: hours[1] as string });
  return sayNamed("fact", name, {}, humanised(name));
}

/** A name without its unit, words apart: `queue_veh` → “queue”. */
const humanised = (name: string): string => name.replace(UNIT, "").replaceAll(/[_-]/g, " ");

const UNIT = /_(s|min|h|d|W|kWh|m|km|kg|L|C|lx|percent|per_h|veh_h|veh|deg|level|share)$/;

/** A fact as text, by the unit that ends its name. */
export function factText(name: string, value: string | number | boolean | null): string {
  if (value === null) return "—";
  if (typeof value === "boolean") return say(value ? "fact.yes" : "fact.no");
  if (typeof value === "string") return sayNamed("short", value, {}, value);
  // No other fact is this large: a time.
  if (value > 1e12) return dayTime(value);
  const unit = UNIT.exec(name)?.[1];
  if (name === "calls_h") return say("fact.per-hour", { number: number(value, 1) });
  if (unit === "s") return duration(value);
  if (unit === "min") return duration(value * 60);
  if (unit === "h" || name.startsWith("hours_")) return duration(value * 3600);
  if (unit === "m") return distance(value);
  if (unit === "percent") return `${number(value, 1)}\u00a0%`;
  if (unit === "level" || unit === "share" || name === "floor" || name === "fill" || /^q\d\d$/.test(name))
    return percent(value);
  if (unit === "per_h") return say("fact.per-hour", { number: number(value, 1) });
  if (unit === "veh_h") return `${number(value)}\u00a0veh/h`;
  if (unit === "C") return `${number(value, 1)}\u00a0°C`;
  return unit === undefined ? number(value, 2) : quantity(value, unit);
}

/** The value of a device as its kind is read: a level, a mode, a fill. */
export function valueText(kind: string, value: unknown): string {
  if (value === null || value === undefined) return "—";
  if (typeof value === "number") return kind === "lamp" || kind === "container" ? percent(value) : number(value, 2);
  if (typeof value === "string") return sayNamed("mode", value, {}, value);
  return orderText(value as Readonly<Record<string, unknown>>);
}

/** What else could have been done: control names it in a few fixed words, or gives the value itself. */
export function optionText(kind: string, value: unknown): string {
  if (typeof value !== "string") return valueText(kind, value);
  const [, name = "", when] = /^([MCP]\d) (all night|in the quietest hours)$/.exec(value) ?? [];
  if (when !== undefined)
    return say(when === "all night" ? "option.class-all-night" : "option.class-in-quiet", { name });
  return sayNamed("option", value, {}, valueText(kind, value));
}

/** An order in a few words: what a lamp, a junction or a vehicle was told. */
export function orderText(order: Readonly<Record<string, unknown>>): string {
  const steps = order["steps"];
  const stages = order["stages"];
  const stops = order["stops"];
  const level = order["level"];
  if (typeof level === "number") return say("override.level", { level: percent(level) });
  if (typeof order["mode"] === "string") return sayNamed("mode", order["mode"]);
  if (Array.isArray(steps)) return say("order.programme", { n: steps.length });
  if (Array.isArray(stages) && typeof order["cycle_s"] === "number")
    return say("order.frame", { cycle: duration(order["cycle_s"]), n: stages.length });
  if (Array.isArray(stops)) return say("order.round", { n: stops.length });
  if (Array.isArray(order["rounds"])) return say("order.rounds", { n: order["rounds"].length });
  return typeof order["action"] === "string" ? sayNamed("order", order["action"], {}, "—") : "—";
}

/** “Level 30 % at 23:41.” and the reason, for what the drawer shows first. */
export function firstLine(why: Why): { readonly figure: string; readonly label: string } {
  const { latest, kind } = why;
  const label = why.measure === null ? "" : sayNamed("measure", why.measure, {}, why.measure);
  if (latest === null) return { figure: "—", label };
  if (latest.name !== null) return { figure: sayNamed("mode", latest.name, {}, sayNamed("short", latest.name)), label };
  if (why.measure === "level" || why.measure === "fill" || why.measure === "occupancy")
    return { figure: percent(latest.value), label };
  return {
    figure: kind === "signal" && why.measure === "stage" ? `${latest.value + 1}` : quantity(latest.value, latest.unit),
    label,
  };
}
