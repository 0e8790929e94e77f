import type { Junction } from "#protocol/territory.ts";
import type { Instant } from "#protocol/units.ts";

/**
 * Watches what a junction really shows and says what must never be: it reads the territory's tables by itself and shares
 * no code with what it watches.
 */
export interface JunctionWatch {
  /** Fed every change of greens and ambers (bit i is group i); returns what was wrong with it, most often nothing. */
  changed(at: Instant, greens: number, ambers: number): readonly Violation[];
  readonly violations: number;
}

export interface Violation {
  readonly kind: "conflicting-greens" | "intergreen" | "minimum-green";
  readonly at: Instant;
  readonly text: string;
}

/** Outputs are written in whole milliseconds by two parties' clocks. */
const TOLERANCE_MS = 50;

/** A watch for one junction. Flashing amber (all vehicle groups amber, none green) is safe at any moment. */
export function watchJunction(junction: Junction): JunctionWatch {
  return new Watch(junction);
}

class Watch implements JunctionWatch {
  violations = 0;
  private readonly junction: Junction;
  private readonly vehicles: number;
  /** For each group those it conflicts with, and what is due between the end of another's green and its own start. */
  private readonly conflicting: readonly (readonly number[])[];
  private readonly due_ms: readonly (readonly { readonly from: number; readonly ms: number }[])[];
  private readonly greenSince: number[];
  private readonly greenEnded: number[];
  private greens = 0;
  private found: Violation[] = [];

  constructor(junction: Junction) {
    this.junction = junction;
    const names = junction.groups.map((group) => group.id);
    this.vehicles = junction.groups.reduce((sum, { kind }, i) => sum + (kind === "vehicle" ? 2 ** i : 0), 0);
    this.conflicting = names.map((name) =>
      junction.conflicts.flatMap(([a, b]) =>
        a === name ? [names.indexOf(b ?? "")] : b === name ? [names.indexOf(a ?? "")] : [],
      ),
    );
    this.due_ms = names.map((name) =>
      junction.intergreens.flatMap(({ from, to, s }) =>
        to === name ? [{ from: names.indexOf(from), ms: s * 1000 }] : [],
      ),
    );
    this.greenSince = names.map(() => Number.NEGATIVE_INFINITY);
    this.greenEnded = names.map(() => Number.NEGATIVE_INFINITY);
  }

  changed(at: Instant, greens: number, ambers: number): readonly Violation[] {
    this.found = [];
    const flashing = greens === 0 && this.vehicles !== 0 && (ambers & this.vehicles) >>> 0 === this.vehicles;
    const { groups } = this.junction;
    for (let i = 0; i < groups.length; i++) {
      const was = has(this.greens, i);
      const is = has(greens, i);
      if (was && !is) this.ends(groups[i] as Junction["groups"][number], i, at, flashing);
      if (is && !was) this.greenSince[i] = at;
    }
    for (let i = 0; i < groups.length; i++) {
      if (has(greens, i)) this.stands(i, at, greens, ambers);
    }
    this.greens = greens;
    return this.found;
  }

  private ends(group: Junction["groups"][number], i: number, at: Instant, flashing: boolean): void {
    this.greenEnded[i] = at;
    const lasted = at - (this.greenSince[i] as number);
    if (flashing || lasted >= group.min_s * 1000 - TOLERANCE_MS) return;
    this.say("minimum-green", at, `${group.id} was green for ${lasted / 1000} s, at least ${group.min_s} s are due`);
  }

  private stands(i: number, at: Instant, greens: number, ambers: number): void {
    for (const other of this.conflicting[i] as readonly number[]) {
      // Of two conflicting greens the one with the greater index says so; the pair is one violation.
      const green = has(greens, other) && i > other;
      const amber = !has(greens, other) && has(ambers, other);
      if (!green && !amber) continue;
      this.say(
        "conflicting-greens",
        at,
        `${this.name(i)} is green while ${this.name(other)} is ${green ? "green" : "amber"}`,
      );
    }
    if (this.greenSince[i] !== at) return;
    for (const { from, ms } of this.due_ms[i] as readonly { from: number; ms: number }[]) {
      const since = at - (this.greenEnded[from] as number);
      if (has(greens, from) || since >= ms - TOLERANCE_MS) continue;
      this.say(
        "intergreen",
        at,
        `${this.name(i)} became green ${since / 1000} s after ${this.name(from)} ended, ${ms / 1000} s are due`,
      );
    }
  }

  private name(i: number): string {
    return this.junction.groups[i]?.id ?? "";
  }

  private say(kind: Violation["kind"], at: Instant, text: string): void {
    this.violations++;
    this.found.push({ kind, at, text: `${this.junction.id}: ${text}` });
  }
}

const has = (mask: number, i: number): boolean => ((mask >>> i) & 1) === 1;
