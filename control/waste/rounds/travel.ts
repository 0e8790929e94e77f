import type { Candidate } from "../fill.ts";
import type { RoundsInput } from "../rounds.ts";
import type { Problem } from "./problem.ts";

interface Served {
  readonly candidate: Candidate;
}

/** A tip between two places: where, and how long driving there and on takes, tipping apart. */
export interface Tip {
  /** A tipping site, or the depot where no site takes the stream. */
  readonly site: string;
  readonly what: "tipping-site" | "depot";
  readonly to_s: number;
  readonly on_s: number;
  readonly service_s: number;
}

/** The travel times of a day's input by what they lead between: depot, tipping sites and candidates. */
export class TravelTable {
  private readonly input: RoundsInput;
  private readonly placeOf: ReadonlyMap<string, number>;

  constructor(input: RoundsInput) {
    this.input = input;
    const before = 1 + input.tippingSites.length;
    this.placeOf = new Map(input.candidates.map(({ container }, index) => [container, before + index]));
  }

  /** Driving seconds; `undefined` stands for the depot. */
  driving(from: Candidate | undefined, to: Candidate | undefined): number {
    return this.time(this.place(from), this.place(to));
  }

  /** The quickest way to tip between a container and what comes after it (undefined: the depot). */
  tip(from: Candidate, to: Candidate | undefined): Tip {
    const [start, end] = [this.place(from), this.place(to)];
    let best: Tip | undefined;
    this.input.tippingSites.forEach((site, index) => {
      if (!site.streams.includes(from.stream)) return;
      const tip: Tip = {
        site: site.id,
        what: "tipping-site",
        to_s: this.time(start, index + 1),
        on_s: this.time(index + 1, end),
        service_s: site.service_s,
      };
      if (best === undefined || durationOf(tip) < durationOf(best)) best = tip;
    });
    return (
      best ?? {
        site: this.input.depot,
        what: "depot",
        to_s: this.time(start, 0),
        on_s: this.time(0, end),
        service_s: 0,
      }
    );
  }

  /** Depot at 0, candidates after it in their order. */
  betweenCandidates(): number[][] {
    const all = [undefined, ...this.input.candidates];
    return all.map((from) => all.map((to) => this.driving(from, to)));
  }

  /** The two tables of a problem with these stops. */
  forStops(stops: readonly Served[]): Pick<Problem, "direct" | "tipping"> {
    const all = [undefined, ...stops.map(({ candidate }) => candidate)];
    return {
      direct: all.map((from) => all.map((to) => this.driving(from, to))),
      tipping: all.map((from) =>
        all.map((to) => (from === undefined ? this.driving(from, to) : durationOf(this.tip(from, to)))),
      ),
    };
  }

  private place(candidate: Candidate | undefined): number {
    return candidate === undefined ? 0 : (this.placeOf.get(candidate.container) as number);
  }

  private time(from: number, to: number): number {
    return this.input.travel_s[from]?.[to] ?? 0;
  }
}

const durationOf = ({ to_s, service_s, on_s }: Tip): number => to_s + service_s + on_s;
