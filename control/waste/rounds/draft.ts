import type { Problem, Stop, Vehicle } from "./problem.ts";
import { BASE } from "./problem.ts";
import type { Shift, Solution } from "./solution.ts";
import { solutionOf } from "./solution.ts";
import type { Times } from "./times.ts";

/** A trip under work: its stops, their load and stream. */
interface DraftTrip {
  readonly stops: number[];
  load: number;
  readonly stream: number;
}

export interface DraftShift {
  readonly trips: DraftTrip[];
  duration_s: number;
}

/** Where a stop may go, and by how much its shift grows. `trip` may be one past the last: a new trip. */
interface Place {
  vehicle: number;
  trip: number;
  place: number;
  added_s: number;
}

/**
 * A solution being ruined and recreated. Shifts are copied when first touched, so that a draft of a large solution costs
 * only what it changes, and what it came from stays whole.
 */
export class Draft {
  readonly problem: Problem;
  readonly times: Times;
  readonly shifts: DraftShift[];
  readonly absent: number[];
  cost_s: number;
  readonly touched = new Set<number>();
  private readonly alike: Int32Array;
  private readonly best: Place = { vehicle: -1, trip: -1, place: -1, added_s: 0 };

  constructor(
    problem: Problem,
    times: Times,
    shifts: DraftShift[],
    absent: number[],
    cost_s: number,
    alike: Int32Array,
  ) {
    this.problem = problem;
    this.times = times;
    this.shifts = shifts;
    this.absent = absent;
    this.cost_s = cost_s;
    this.alike = alike;
  }

  static of(problem: Problem, times: Times, solution: Solution): Draft {
    const shifts = solution.shifts.map((shift) => draftShift(problem, shift));
    return new Draft(problem, times, shifts, [...solution.absent], solution.cost_s, alikeVehicles(problem.vehicles));
  }

  copy(): Draft {
    return new Draft(this.problem, this.times, this.shifts.slice(), this.absent.slice(), this.cost_s, this.alike);
  }

  solution(): Solution {
    const shifts = this.shifts.map(({ trips, duration_s }) => ({
      trips: trips.map((trip) => [...trip.stops]),
      duration_s,
    }));
    return solutionOf(
      this.problem,
      shifts,
      this.absent.toSorted((a, b) => a - b),
    );
  }

  /** Takes the stops at these places out of a trip (places rising) and prices them as absent. */
  remove(vehicle: number, trip: number, from: number, count: number, kept: number, keptFrom: number): void {
    const shift = this.touch(vehicle);
    const { stops } = shift.trips[trip] as DraftTrip;
    const gone =
      kept === 0
        ? stops.splice(from, count)
        : [...stops.splice(keptFrom + kept, from + count - keptFrom - kept), ...stops.splice(from, keptFrom - from)];
    for (const stop of gone) {
      const { load, price_s } = this.problem.stops[stop] as Stop;
      (shift.trips[trip] as DraftTrip).load -= load;
      this.absent.push(stop);
      this.cost_s += price_s;
    }
  }

  /** Drops emptied trips and works out the durations of what was touched. */
  settle(): void {
    for (const vehicle of this.touched) {
      const shift = this.shifts[vehicle] as DraftShift;
      for (let trip = shift.trips.length - 1; trip >= 0; trip--) {
        if ((shift.trips[trip] as DraftTrip).stops.length === 0) shift.trips.splice(trip, 1);
      }
      const duration_s = durationOf(this.times, shift);
      this.cost_s += duration_s - shift.duration_s;
      shift.duration_s = duration_s;
    }
  }

  /**
   * Puts a stop where it adds least, if that is less than its price; returns whether it did. Each place is passed over
   * when `blink` says so, which keeps the search from always rebuilding the same (Christiaens and Vanden Berghe 2020).
   */
  insert(stop: number, blink: () => boolean): boolean {
    const { price_s } = this.problem.stops[stop] as Stop;
    this.best.vehicle = -1;
    this.best.added_s = price_s;
    for (let vehicle = 0; vehicle < this.shifts.length; vehicle++) this.look(vehicle, stop, blink);
    const { vehicle, trip, place, added_s } = this.best;
    if (vehicle === -1) return false;
    const { load, stream } = this.problem.stops[stop] as Stop;
    const shift = this.touch(vehicle);
    if (trip === shift.trips.length) shift.trips.push({ stops: [stop], load, stream });
    else {
      const into = shift.trips[trip] as DraftTrip;
      into.stops.splice(place, 0, stop);
      into.load += load;
    }
    shift.duration_s += added_s;
    this.cost_s += added_s - price_s;
    return true;
  }

  private look(vehicle: number, stop: number, blink: () => boolean): void {
    const shift = this.shifts[vehicle] as DraftShift;
    const { capacity, shift_s, streams } = this.problem.vehicles[vehicle] as Vehicle;
    const { load, stream } = this.problem.stops[stop] as Stop;
    if (load > capacity || !streams.includes(stream)) return;
    // Among empty vehicles that are alike only the first is tried.
    const twin = this.alike[vehicle] as number;
    if (shift.trips.length === 0 && twin >= 0 && (this.shifts[twin] as DraftShift).trips.length === 0) return;
    const { width, direct, tipping, service } = this.times;
    const served = service[stop] as number;
    const room_s = shift_s - shift.duration_s;
    const row = (stop + 1) * width + 1;
    let last = BASE;
    for (let index = 0; index < shift.trips.length; index++) {
      const trip = shift.trips[index] as DraftTrip;
      const { stops } = trip;
      const final = stops[stops.length - 1] as number;
      if (trip.stream === stream && trip.load + load <= capacity) {
        let before = last;
        let into = index === 0 ? direct : tipping;
        for (let place = 0; place <= stops.length; place++) {
          const end = place === stops.length;
          const after = end ? (shift.trips[index + 1]?.stops[0] ?? BASE) : (stops[place] as number);
          const out = end ? tipping : direct;
          const start = (before + 1) * width + 1;
          const old = end ? tipping : into;
          const added_s =
            (into[start + stop] as number) + served + (out[row + after] as number) - (old[start + after] as number);
          if (added_s < this.best.added_s && added_s <= room_s && !blink()) this.keep(vehicle, index, place, added_s);
          before = after;
          into = direct;
        }
      }
      last = final;
    }
    const start = (last + 1) * width + 1;
    const added_s =
      last === BASE
        ? (direct[start + stop] as number) + served + (tipping[row + BASE] as number)
        : (tipping[start + stop] as number) +
          served +
          (tipping[row + BASE] as number) -
          (tipping[start + BASE] as number);
    if (added_s < this.best.added_s && added_s <= room_s && !blink())
      this.keep(vehicle, shift.trips.length, 0, added_s);
  }

  private keep(vehicle: number, trip: number, place: number, added_s: number): void {
    this.best.vehicle = vehicle;
    this.best.trip = trip;
    this.best.place = place;
    this.best.added_s = added_s;
  }

  private touch(vehicle: number): DraftShift {
    const shift = this.shifts[vehicle] as DraftShift;
    if (this.touched.has(vehicle)) return shift;
    this.touched.add(vehicle);
    const trips = shift.trips.map(({ stops, load, stream }) => ({ stops: stops.slice(), load, stream }));
    const copy = { trips, duration_s: shift.duration_s };
    this.shifts[vehicle] = copy;
    return copy;
  }
}

function draftShift(problem: Problem, { trips, duration_s }: Shift): DraftShift {
  return {
    duration_s,
    trips: trips.map((trip) => ({
      stops: [...trip],
      load: trip.reduce((sum, stop) => sum + (problem.stops[stop] as Stop).load, 0),
      stream: (problem.stops[trip[0] as number] as Stop).stream,
    })),
  };
}

/** For each vehicle the one before it that is like it, or -1. */
function alikeVehicles(vehicles: readonly Vehicle[]): Int32Array {
  const last = new Map<string, number>();
  return Int32Array.from(vehicles, ({ capacity, shift_s, streams }, vehicle) => {
    const name = `${capacity} ${shift_s} ${streams.join(",")}`;
    const before = last.get(name) ?? -1;
    last.set(name, vehicle);
    return before;
  });
}

function durationOf({ width, direct, tipping, service }: Times, { trips }: DraftShift): number {
  let duration_s = 0;
  let at = BASE;
  for (let index = 0; index < trips.length; index++) {
    let into = index === 0 ? direct : tipping;
    for (const stop of (trips[index] as DraftTrip).stops) {
      duration_s += (into[(at + 1) * width + stop + 1] as number) + (service[stop] as number);
      into = direct;
      at = stop;
    }
  }
  return at === BASE ? 0 : duration_s + (tipping[(at + 1) * width + BASE + 1] as number);
}
