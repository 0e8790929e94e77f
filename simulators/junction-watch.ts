import type { Junction } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";

/**
 * Watches what a junction really shows and says what must never be: it reads the territory's tables by itself and shares
 * no code with what it watches.
 */
export interface JunctionWatch {
  /** Fed every change of greens and ambers (bit i is group i); returns what was wrong with it, most often nothing. */
  changed(at: Instant, greens: number, ambers: number): Violation[];
  readonly violations: number;
}

export interface Violation {
  readonly kind: "conflicting-greens" | "intergreen" | "minimum-green";
  readonly at: Instant;
  readonly text: string;
}

type Shown = "red" | "amber" | "green";

/** Outputs are written in whole milliseconds by two parties' clocks. */
const TOLERANCE_MS = 50;

/** A watch for one junction. Flashing amber (all vehicle groups amber, none green) is safe at any moment. */
export function watchJunction(junction: Junction): JunctionWatch {
  const names = junction.groups.map((group) => group.id);
  const shown = new Map<string, Shown>(names.map((name) => [name, "red"]));
  const greenSince = new Map<string, number>();
  const greenEnded = new Map<string, number>();
  const conflicting = new Set(junction.conflicts.flatMap(([a, b]) => [`${a}|${b}`, `${b}|${a}`]));
  const intergreens = new Map(junction.intergreens.map(({ from, to, s }) => [`${from}|${to}`, s * 1000]));
  const vehicles = junction.groups.filter((group) => group.kind === "vehicle").map((group) => group.id);
  let violations = 0;

  return {
    get violations() {
      return violations;
    },
    changed(at, greens, ambers) {
      const found: Violation[] = [];
      const say = (kind: Violation["kind"], text: string): void => {
        violations++;
        found.push({ kind, at, text: `${junction.id}: ${text}` });
      };
      const has = (mask: number, name: string): boolean => Math.floor(mask / 2 ** names.indexOf(name)) % 2 === 1;
      const flashing = greens === 0 && vehicles.length > 0 && vehicles.every((name) => has(ambers, name));
      const before = new Map(shown);
      for (const name of names) shown.set(name, has(greens, name) ? "green" : has(ambers, name) ? "amber" : "red");
      for (const group of junction.groups) {
        const name = group.id;
        const was = before.get(name);
        const is = shown.get(name);
        if (was === "green" && is !== "green") {
          greenEnded.set(name, at);
          const lasted = at - (greenSince.get(name) as number);
          if (!flashing && lasted < group.min_s * 1000 - TOLERANCE_MS) {
            say("minimum-green", `${name} was green for ${lasted / 1000} s, at least ${group.min_s} s are due`);
          }
        }
        if (was !== "green" && is === "green") greenSince.set(name, at);
      }
      for (const name of names) {
        if (shown.get(name) !== "green") continue;
        for (const other of names) {
          if (name === other) continue;
          const pair = `${other}|${name}`;
          if (conflicting.has(pair) && (shown.get(other) === "green" ? other > name : shown.get(other) === "amber")) {
            say("conflicting-greens", `${name} is green while ${other} is ${shown.get(other)}`);
          }
          const due = intergreens.get(pair);
          const ended = greenEnded.get(other);
          if (due === undefined || ended === undefined || greenSince.get(name) !== at || shown.get(other) === "green")
            continue;
          if (at - ended < due - TOLERANCE_MS) {
            say(
              "intergreen",
              `${name} became green ${(at - ended) / 1000} s after ${other} ended, ${due / 1000} s are due`,
            );
          }
        }
      }
      return found;
    },
  };
}
