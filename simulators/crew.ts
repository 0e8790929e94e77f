import type { SeededChance } from "#protocol/chance.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { OrderOf } from "#protocol/messages.ts";
import type { LonLat, Vehicle } from "#protocol/territory.ts";
import { HOUR, seconds } from "#protocol/units.ts";
import type { Container } from "./container.ts";
import { fluctuation } from "./draws.ts";
import { distance } from "./geometry.ts";
import type { Instrument } from "./instrument.ts";
import type { Stretch, StreetNetwork } from "./street-network.ts";

export type Sheet = OrderOf<"round">;

export interface CrewState {
  readonly round: string | undefined;
  readonly served: readonly string[];
  readonly load_L: number;
  readonly load_kg: number;
  readonly distance_km: number;
  readonly position: LonLat;
}

/** What the crew does to the world, and where things are. */
export interface Ground {
  readonly network: StreetNetwork;
  container(id: string): Container | undefined;
  place(site: string): LonLat | undefined;
  /** Seconds at a tipping site. */
  tipping_s(site: string): number;
  emptied(container: Container, vehicle: string, fill: number, at: number): void;
  /** A measure of the vehicle moved. */
  moved(vehicle: string, measure: string): void;
}

/** Sheets whose last stop should have been served so long ago are no longer driven. */
const STALE_MS = 8 * HOUR;
const KG_PER_L: Record<string, number> = {
  litter: 0.08,
  residual: 0.12,
  packaging: 0.04,
  paper: 0.09,
  glass: 0.3,
  organic: 0.4,
};
/** A lorry among parked cars does not reach the speed allowed. */
const LORRY_PACE = 0.6;
const OFF_NETWORK_m_s = 4;

/** A vehicle and its crew: takes the sheet its agent shows, drives it stop by stop on the streets, empties, tips, goes home. */
export class Crew implements Instrument {
  readonly vehicle: Vehicle;
  private readonly ground: Ground;
  private readonly chance: SeededChance;
  private sheet: Sheet | undefined;
  private sheetOf: (() => Sheet | undefined) | undefined;
  private clock: Clock | undefined;
  private cancel: Cancel = () => undefined;
  private round: string | undefined;
  private served = new Set<string>();
  private load_L = 0;
  private load_kg = 0;
  private distance_km = 0;
  private position: LonLat;

  constructor(vehicle: Vehicle, home: LonLat, ground: Ground, chance: SeededChance) {
    this.vehicle = vehicle;
    this.position = home;
    this.ground = ground;
    this.chance = chance;
  }

  /** `sheetOf` asks the agent in the cab for its round. */
  start(clock: Clock, sheetOf: () => Sheet | undefined): Cancel {
    this.clock = clock;
    this.sheetOf = sheetOf;
    this.look();
    return () => {
      this.cancel();
      this.clock = undefined;
    };
  }

  write(output: string): void {
    if (output === "round" && this.clock !== undefined) this.look();
  }

  read(measure: string): number | undefined {
    if (measure === "stop") return this.served.size;
    if (measure === "load_kg") return Math.round(this.load_kg);
    if (measure === "distance_km") return Math.round(this.distance_km * 100) / 100;
    return undefined;
  }

  /** Reads the sheet again; what was served of this round stays served. */
  private look(): void {
    const sheet = this.sheetOf?.();
    if (sheet === undefined || sheet === this.sheet) return;
    this.sheet = sheet;
    if (sheet.round !== this.round) {
      this.round = sheet.round;
      this.served = new Set();
    }
    this.cancel();
    this.next(true);
  }

  private next(starting: boolean): void {
    const { clock, sheet } = this;
    if (clock === undefined || sheet === undefined) return;
    const now = clock.now();
    const last = sheet.stops.at(-1);
    if (last === undefined || last.eta < now - STALE_MS) return;
    const index = sheet.stops.findIndex((_, order) => !this.served.has(String(order)));
    const stop = sheet.stops[index];
    const place = stop === undefined ? undefined : this.ground.place(stop.site);
    if (stop === undefined) return;
    if (place === undefined) {
      // A site that the town does not have is passed over, so that the rest of the round is still driven.
      this.served.add(String(index));
      return this.next(starting);
    }
    const way = drive(this.ground.network, this.position, place);
    const travel_s = (way.seconds / LORRY_PACE) * fluctuation(this.chance, 0.2);
    const leave = starting ? Math.max(0, (stop.eta - now) / 1000 - travel_s) : 0;
    this.cancel = clock.after(seconds(leave + travel_s), () => {
      this.position = place;
      this.distance_km += way.metres / 1000;
      const service_s = this.serviceTime(stop) * fluctuation(this.chance, 0.3);
      this.cancel = clock.after(seconds(service_s), () => {
        this.serve(stop, index, clock.now());
        this.next(false);
      });
    });
  }

  private serviceTime({ site, what }: Sheet["stops"][number]): number {
    if (what === "container") return this.ground.container(site)?.feature.service_s ?? 10;
    return what === "tipping-site" ? this.ground.tipping_s(site) : 30;
  }

  private serve({ site, what }: Sheet["stops"][number], index: number, now: number): void {
    const container = what === "container" ? this.ground.container(site) : undefined;
    if (container !== undefined) {
      const fill = container.empty(now);
      const volume = fill * container.feature.volume_L;
      this.load_L += volume;
      this.load_kg += volume * (KG_PER_L[container.feature.stream] ?? 0.1);
      this.ground.emptied(container, this.vehicle.id, fill, now);
    } else if (what === "tipping-site") {
      this.load_L = 0;
      this.load_kg = 0;
    }
    this.served.add(String(index));
    this.ground.moved(this.vehicle.id, "stop");
    this.ground.moved(this.vehicle.id, "load_kg");
  }

  save(): CrewState {
    const { round, load_L, load_kg, distance_km, position } = this;
    return { round, served: [...this.served], load_L, load_kg, distance_km, position };
  }

  restore(state: CrewState): void {
    this.round = state.round;
    this.served = new Set(state.served);
    this.load_L = state.load_L;
    this.load_kg = state.load_kg;
    this.distance_km = state.distance_km;
    this.position = state.position;
  }
}

/** The way on the streets from one place to another by car, and the bits beside the streets at walking pace. */
function drive(network: StreetNetwork, from: LonLat, to: LonLat): { seconds: number; metres: number } {
  const start = network.nodeNear(from, "car");
  const end = network.nodeNear(to, "car");
  const beside = (place: LonLat, node: number): number =>
    node < 0 ? 0 : distance(network.flat(place), network.nodes[node] ?? [0, 0]);
  const off = beside(from, start) + beside(to, end);
  const straight = distance(network.flat(from), network.flat(to));
  if (start < 0 || end < 0 || start === end) return { metres: straight, seconds: straight / OFF_NETWORK_m_s };
  const ways = network.waysTo(end, "car");
  let metres = off;
  let time = off / OFF_NETWORK_m_s;
  let node = start;
  for (let signed = ways.next[node] as number; signed !== 0; signed = ways.next[node] as number) {
    const stretch = network.stretches[Math.abs(signed) - 1] as Stretch;
    metres += stretch.length_m;
    time += stretch.length_m / stretch.speed_m_s;
    node = signed > 0 ? stretch.to : stretch.from;
  }
  return node === end
    ? { metres, seconds: time }
    : { metres: straight * 1.4, seconds: (straight * 1.4) / OFF_NETWORK_m_s };
}
