import type { SeededChance } from "#protocol/chance.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { HOUR, seconds } from "#protocol/units.ts";
import { normal, poisson, uniform, weighted } from "./draws.ts";
import type { XY } from "./geometry.ts";
import { distance } from "./geometry.ts";
import type { LocalHours } from "./local-hours.ts";
import { FOOTFALL } from "./rates/people.ts";
import type { Stretch, StreetNetwork, Traveller, Ways } from "./street-network.ts";
import { TRAVELLERS, popLeast, pushInto } from "./street-network.ts";
import type { Weather } from "./weather.ts";

/** Trips a day for each lamp of the town: a town of 240 lamps has about 1,500 people, who go out on foot most. */
const TRIPS_A_DAY_PER_LAMP: Record<Traveller, number> = { foot: 4.6, bicycle: 1, car: 2.8 };
/** Longer than this nobody walks when there is a nearer one; cars and bicycles cross the town. */
const WALK_m = 700;
const SPEED_m_s: Record<Traveller, readonly [mean: number, spread: number]> = {
  foot: [1.35, 0.2],
  bicycle: [4.2, 0.8],
  car: [0.85, 0.1],
};
/** Fewer go out on foot or by bicycle in the rain. */
const RAIN_KEEPS_IN = 0.45;
const NOWHERE: ReadonlySet<number> = new Set();
const ATTRACTIONS: readonly {
  readonly place: keyof typeof FOOTFALL;
  readonly count: number;
  readonly share: number;
  readonly central: boolean;
}[] = [
  { place: "shops", count: 6, share: 0.42, central: true },
  { place: "station", count: 2, share: 0.2, central: false },
  { place: "housing", count: 12, share: 0.28, central: false },
  { place: "park", count: 3, share: 0.1, central: false },
];

/** Someone passes a pole, with or without being seen there. */
export type Passed = (sensor: number, traveller: Traveller, at: number) => void;

/** Someone rides across a place where streets meet, having come from the neighbouring node `from`. */
export type Crossed = (node: number, from: number) => void;

export interface People {
  start(clock: Clock): Cancel;
  /** Trips begun, by kind of traveller. */
  readonly trips: Readonly<Record<Traveller, number>>;
  /** Who really passed all poles together, for each hour since the start: what a forecast can be held against. */
  footfall(): readonly number[];
}

interface Attraction {
  readonly node: number;
  readonly week: readonly number[];
}

/** A pole passed or, where `node` is given, a watched place where streets meet, come from its neighbour `from`. */
interface Pass {
  readonly sensor: number;
  readonly at: number;
  readonly node?: number;
  readonly from?: number;
}

/** One who is under way: walks the stretches towards the target, or away from it when `home` is true. */
interface Trip {
  at: number;
  readonly traveller: Traveller;
  readonly passes: readonly Pass[];
  index: number;
}

/**
 * People who walk, cycle and drive along the streets, with the day's rhythm of the places that draw them. For each trip
 * the times at which it passes poles are computed when it begins; between passages nothing happens.
 */
export function createPeople(options: {
  territory: Territory;
  network: StreetNetwork;
  hours: LocalHours;
  weather: Weather;
  chance: SeededChance;
  /** More or fewer trips than usual; 1 unless given. */
  crowd?: number;
  passed: Passed;
  /** The nodes where someone looks at who cycles across; elsewhere nobody is told. */
  watched?: ReadonlySet<number>;
  crossed?: Crossed;
}): People {
  const { territory, network, hours, weather, chance, passed, watched = NOWHERE, crossed, crowd = 1 } = options;
  const trips = { foot: 0, bicycle: 0, car: 0 };
  const attractions = {} as Record<Traveller, Attraction[][]>;
  for (const traveller of TRAVELLERS)
    attractions[traveller] = placeAttractions(network, traveller, chance.branch(`places ${traveller}`));
  const homes = {} as Record<Traveller, number[]>;
  for (const traveller of TRAVELLERS)
    homes[traveller] = homesOf(territory, network, traveller, chance.branch(`homes ${traveller}`));
  const perDay = (traveller: Traveller): number =>
    TRIPS_A_DAY_PER_LAMP[traveller] * territory.luminaires.length * crowd;
  const footfall: number[] = [];
  let started = 0;

  /** Draws the trips of the hour that begins at `hour`, from a stream of that hour alone. */
  function tripsOf(hour: number, own: SeededChance, waiting: Trip[]): void {
    const ofWeek = hours.hourOfWeek(hour);
    const wet = weather.rain_mm_h(hour) > 0.2;
    for (const traveller of TRAVELLERS) {
      if (homes[traveller].length === 0) continue;
      for (const [kind, { share }] of ATTRACTIONS.entries()) {
        const places = attractions[traveller][kind] as Attraction[];
        if (places.length === 0) continue;
        const week = (places[0] as Attraction).week;
        const kept = wet && traveller !== "car" ? 1 - RAIN_KEEPS_IN : 1;
        const mean = (perDay(traveller) * 7 * share * kept * (week[ofWeek] as number)) / 1e5;
        for (let left = poisson(own, mean); left > 0; left--) {
          const place = places[Math.floor(own.next() * places.length)] as Attraction;
          const trip = begin(traveller, place, hour + own.next() * HOUR, own);
          if (trip !== undefined) pushInto(waiting, trip);
        }
      }
    }
  }

  function begin(traveller: Traveller, place: Attraction, at: number, own: SeededChance): Trip | undefined {
    const ways = network.waysTo(place.node, traveller);
    let home = -1;
    for (let tries = 0; tries < 4; tries++) {
      const drawn = homes[traveller][Math.floor(own.next() * homes[traveller].length)] as number;
      if (ways.next[drawn] === 0) continue;
      home = drawn;
      if (traveller !== "foot" || (ways.metres[drawn] as number) <= WALK_m) break;
    }
    if (home < 0) return undefined;
    const [mean, spread] = SPEED_m_s[traveller];
    const pace = Math.max(mean * 0.6, mean + spread * normal(own));
    // One-way streets are not driven back through: who leaves by car is one who came by the same streets.
    const back = traveller !== "car" && own.next() < 0.5;
    const looked = traveller === "bicycle" ? watched : NOWHERE;
    const passes = passesOf(network.stretches, ways, home, { traveller, pace, back, at, watched: looked });
    trips[traveller]++;
    const first = passes[0];
    return first === undefined ? undefined : { at: first.at, traveller, passes, index: 0 };
  }

  return {
    trips,
    footfall: () => footfall,
    start(clock) {
      const waiting: Trip[] = [];
      started = clock.now();
      let hour = Math.floor(started / HOUR) * HOUR;
      let cancel: Cancel = () => undefined;
      const turn = (): void => {
        const now = clock.now();
        while (hour <= now) {
          tripsOf(hour, chance.branch(`hour ${hour / HOUR}`), waiting);
          hour += HOUR;
        }
        for (let next = waiting[0]; next !== undefined && next.at <= now; next = waiting[0]) {
          const trip = popLeast(waiting);
          const pass = trip.passes[trip.index++] as Pass;
          const following = trip.passes[trip.index];
          if (following !== undefined) {
            trip.at = following.at;
            pushInto(waiting, trip);
          }
          // Trips of the hour in which the town was started may have begun before it.
          if (pass.at < started) continue;
          if (pass.node !== undefined) {
            crossed?.(pass.node, pass.from as number);
            continue;
          }
          const slot = Math.floor((pass.at - started) / HOUR);
          while (footfall.length <= slot) footfall.push(0);
          footfall[slot] = (footfall[slot] as number) + 1;
          passed(pass.sensor, trip.traveller, pass.at);
        }
        const due = Math.min(waiting[0]?.at ?? Infinity, hour);
        cancel = clock.after(seconds(Math.max(0, due - now) / 1000), turn);
      };
      turn();
      return () => cancel();
    },
  };
}

/** The poles and watched nodes on the way from `home` to the target of `ways`, or back, with the time at each. */
function passesOf(
  stretches: readonly Stretch[],
  ways: Ways,
  home: number,
  how: { traveller: Traveller; pace: number; back: boolean; at: number; watched: ReadonlySet<number> },
): Pass[] {
  const { traveller, pace, back, at: start, watched } = how;
  const met: { sensor: number; after_s: number; node?: number; from?: number }[] = [];
  let elapsed = 0;
  let node = home;
  for (let signed = ways.next[node] as number; signed !== 0; signed = ways.next[node] as number) {
    const stretch = stretches[Math.abs(signed) - 1] as Stretch;
    // A car's pace is a share of the speed allowed; the others go as fast as they can anywhere.
    const speed = traveller === "car" ? pace * stretch.speed_m_s : pace;
    const forward = signed > 0;
    const { poles, length_m } = stretch;
    for (let order = 0; order < poles.length; order++) {
      const { sensor, at_m } = poles[forward ? order : poles.length - 1 - order] as Stretch["poles"][number];
      met.push({ sensor, after_s: elapsed + (forward ? at_m : length_m - at_m) / speed });
    }
    elapsed += length_m / speed;
    const behind = node;
    node = forward ? stretch.to : stretch.from;
    const next = ways.next[node] as number;
    if (next === 0 || !watched.has(node)) continue;
    const ahead = stretches[Math.abs(next) - 1] as Stretch;
    met.push({ sensor: -1, after_s: elapsed, node, from: back ? (next > 0 ? ahead.to : ahead.from) : behind });
  }
  const passes = met.map(({ after_s, ...pass }) => ({
    ...pass,
    at: Math.round(start + (back ? elapsed - after_s : after_s) * 1000),
  }));
  return back ? passes.toReversed() : passes;
}

/** Shops lie towards the market place, the rest anywhere; each draws as often as the others of its kind. */
function placeAttractions(network: StreetNetwork, traveller: Traveller, chance: SeededChance): Attraction[][] {
  const middle: XY = [0, 0];
  const reachable = network.nodes.map((at, node) => ({ node, off: distance(at, middle) }));
  const origin = { node: -1, off: Infinity };
  for (const each of reachable) if (each.off < origin.off) Object.assign(origin, each);
  return ATTRACTIONS.map(({ place, count, central }) => {
    const own = chance.branch(place);
    const weights = reachable.map(({ off }) =>
      central ? Math.exp(-((off / 160) ** 2)) + 1e-9 : Math.exp(-((off / 900) ** 2)) + 1e-9,
    );
    const total = weights.reduce((sum, each) => sum + each, 0);
    const found: Attraction[] = [];
    for (let tries = 0; found.length < count && tries < count * 20; tries++) {
      const node = weighted(own, weights, total);
      const ways = network.waysTo(node, traveller);
      // A place that few can reach draws nobody.
      if (ways.next.filter((each) => each !== 0).length < network.nodes.length * 0.4) continue;
      found.push({ node, week: FOOTFALL[place] });
    }
    return found;
  });
}

/** Homes along the lit streets: a node near each of some lamps. */
function homesOf(territory: Territory, network: StreetNetwork, traveller: Traveller, chance: SeededChance): number[] {
  const { luminaires } = territory;
  const many = Math.min(luminaires.length, 160);
  const step = luminaires.length / Math.max(1, many);
  const homes: number[] = [];
  for (let each = 0; each < many; each++) {
    const lamp = luminaires[Math.floor((each + uniform(chance, 0, 0.999)) * step)];
    const node = lamp === undefined ? -1 : network.nodeNear(lamp.position, traveller);
    if (node >= 0) homes.push(node);
  }
  return homes;
}
