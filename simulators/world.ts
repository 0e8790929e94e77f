import { seededChance } from "#protocol/chance.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { instant } from "#protocol/units.ts";
import type { ContainerState } from "./container.ts";
import { Container } from "./container.ts";
import type { CrewState } from "./crew.ts";
import { Crew } from "./crew.ts";
import type { XY } from "./geometry.ts";
import type { Instrument } from "./instrument.ts";
import { junctionDemand } from "./junction-demand.ts";
import type { JunctionWatch } from "./junction-watch.ts";
import { watchJunction } from "./junction-watch.ts";
import type { LampState } from "./lamp.ts";
import { FeederMeter, Lamp } from "./lamp.ts";
import { localHours } from "./local-hours.ts";
import type { People } from "./people.ts";
import { createPeople } from "./people.ts";
import { PresenceSensor } from "./presence.ts";
import { streetNetwork } from "./street-network.ts";
import type { TownFigures, TownObserver } from "./town.ts";
import type { JunctionTruth, TruthCounters } from "./traffic.ts";
import { approachFrom } from "./traffic-camera.ts";
import { createJunctionTruth } from "./traffic.ts";
import type { Weather } from "./weather.ts";
import { createWeather, photocell, weatherStation } from "./weather.ts";

/** What is true in the street, on the other side of the hardware port. */
export interface World {
  readonly instruments: ReadonlyMap<string, Instrument>;
  readonly lamps: ReadonlyMap<string, Lamp>;
  readonly presences: readonly PresenceSensor[];
  readonly containers: ReadonlyMap<string, Container>;
  readonly crews: ReadonlyMap<string, Crew>;
  readonly junctions: ReadonlyMap<string, JunctionTruth>;
  readonly weather: Weather;
  readonly people: People;
  startPeople(clock: Clock): Cancel;
  startTraffic(clock: Clock): Cancel;
  advanceContainers(now: number): void;
  /** The power of a device has gone: signals are dark until their cabinet shows something again. A lamp keeps its level. */
  powerGone(device: string, now: number): void;
  save(now: number): WorldState;
  restore(state: WorldState): void;
  figures(now: number): Omit<TownFigures, "falseAlarms" | "stationsUp">;
}

export interface WorldState {
  readonly began: number;
  readonly lamps: Readonly<Record<string, LampState>>;
  readonly presences: Readonly<Record<string, number>>;
  readonly containers: Readonly<Record<string, ContainerState>>;
  readonly crews: Readonly<Record<string, CrewState>>;
  readonly junctions: Readonly<Record<string, TruthCounters>>;
}

export interface WorldOptions {
  readonly territory: Territory;
  readonly seed: number;
  readonly now: number;
  readonly crowd?: number;
  readonly observer: TownObserver;
  /** An input of a device moved by itself: its station is to hear of it. */
  readonly moved: (device: string, measure: string) => void;
}

/** Puts the world together: each device draws from a stream of its own, named after it. */
export function createWorld(options: WorldOptions): World {
  const { territory, seed, now, observer, moved } = options;
  const root = seededChance(`town ${seed}`);
  const hours = localHours(territory.timeZone);
  const weather = createWeather(territory.position, root.branch("weather"));
  const network = streetNetwork(territory);
  const instruments = new Map<string, Instrument>();
  let began = now;
  let passages = 0;
  let sensed = 0;
  let collections = 0;
  let overflows = 0;

  const lamps = new Map<string, Lamp>();
  for (const luminaire of territory.luminaires) {
    const lamp = new Lamp(luminaire, root.branch(luminaire.id), now);
    lamps.set(lamp.id, lamp);
    instruments.set(lamp.id, {
      read: (measure, at) => lamp.read(measure, at),
      write(output, value, at) {
        if (output !== "level" || value === lamp.target) return;
        lamp.write(output, value, at);
        observer.levelChanged?.({ at: instant(at), lamp: lamp.id, ...lamp.course(at) });
      },
    });
  }
  for (const { id, feeder } of territory.meters) {
    const fed = territory.luminaires.flatMap((each) => (each.feeder === feeder ? [lamps.get(each.id) as Lamp] : []));
    instruments.set(id, new FeederMeter(fed, () => began));
  }

  const presences = territory.presences.map(({ id }) => new PresenceSensor(id, root.branch(id)));
  for (const sensor of presences) instruments.set(sensor.id, sensor);
  const junctions = new Map<string, JunctionTruth>();
  /** Junctions with a camera, by the node where they lie: only there does it matter who cycles across. */
  const filmed = new Map(
    territory.junctions
      .filter(({ id }) => territory.detectors.some(({ kind, junction }) => kind === "camera" && junction === id))
      .map((junction) => [network.nodeNear(junction.position, "bicycle"), junction]),
  );
  const people = createPeople({
    territory,
    network,
    hours,
    weather,
    chance: root.branch("people"),
    ...(options.crowd !== undefined && { crowd: options.crowd }),
    passed(index, traveller, at) {
      const sensor = presences[index] as PresenceSensor;
      const seen = sensor.passed(at);
      passages++;
      if (seen) sensed++;
      observer.passage?.(instant(at), sensor.id, traveller, seen);
      if (seen) moved(sensor.id, "passes");
    },
    watched: new Set(filmed.keys()),
    crossed(node, from) {
      const junction = filmed.get(node);
      const approach = junction && approachFrom(junction, network.nodes[node] as XY, network.nodes[from] as XY);
      if (junction !== undefined && approach !== undefined) junctions.get(junction.id)?.cycled(approach);
    },
  });

  for (const { id } of territory.photocells) instruments.set(id, photocell(weather));
  for (const { id } of territory.weathers) instruments.set(id, weatherStation(weather));

  const containers = new Map<string, Container>();
  for (const feature of territory.containers) {
    const container = new Container(feature, root.branch(feature.id), hours, weather, now, (at) => {
      overflows++;
      observer.overflow?.(instant(at), feature.id);
    });
    containers.set(feature.id, container);
    instruments.set(feature.id, container);
  }

  const places = new Map(
    [...territory.containers, ...territory.tippingSites, ...territory.depots].map((each) => [each.id, each.position]),
  );
  const tipping = new Map(territory.tippingSites.map((each) => [each.id, each.service_s]));
  const crews = new Map<string, Crew>();
  for (const depot of territory.depots) {
    for (const vehicle of depot.vehicles) {
      const ground = {
        network,
        container: (id: string) => containers.get(id),
        place: (site: string) => places.get(site),
        tipping_s: (site: string) => tipping.get(site) ?? 600,
        moved,
        emptied(container: Container, by: string, fill: number, at: number) {
          collections++;
          observer.collection?.(instant(at), container.feature.id, by, fill);
          moved(container.feature.id, "collections");
          moved(container.feature.id, "fill");
        },
      };
      const crew = new Crew(vehicle, depot.position, ground, root.branch(vehicle.id));
      crews.set(vehicle.id, crew);
      instruments.set(vehicle.id, crew);
    }
  }

  const streets = new Map(territory.streets.map((each) => [each.id, each]));
  const watches: JunctionWatch[] = [];
  const goDark = new Map<string, (at: number) => void>();
  for (const junction of territory.junctions) {
    const detectors = territory.detectors.filter((each) => each.junction === junction.id);
    const buttons = territory.buttons.filter((each) => each.junction === junction.id);
    const truth = createJunctionTruth({
      junction,
      detectors,
      buttons,
      rate: junctionDemand(junction, streets, hours),
      chance: root.branch(`${junction.id} ${now}`),
      now: instant(now),
    });
    const watch = watchJunction(junction);
    junctions.set(junction.id, truth);
    watches.push(watch);
    truth.onDetector((device, measure) => moved(device, measure));
    let greens = 0;
    let ambers = 0;
    const shown = (at: number): void => {
      for (const violation of watch.changed(instant(at), greens, ambers)) observer.violation?.(junction.id, violation);
      truth.greens(greens, ambers, instant(at));
      observer.greens?.(instant(at), junction.id, greens, ambers);
    };
    instruments.set(junction.id, {
      read: () => undefined,
      write(output, value, at) {
        if (output === "greens") greens = value;
        else if (output === "ambers") ambers = value;
        else return;
        shown(at);
      },
    });
    const vehicles = junction.groups.reduce((sum, { kind }, i) => sum + (kind === "vehicle" ? 2 ** i : 0), 0);
    goDark.set(junction.id, (at) => {
      // Dark signals mean to drivers what flashing amber means: find your own way.
      greens = 0;
      ambers = vehicles;
      shown(at);
    });
    for (const { id } of [...detectors, ...buttons]) {
      instruments.set(id, { read: (measure, at) => truth.read(id, measure, instant(at)) });
    }
  }

  return {
    instruments,
    lamps,
    presences,
    containers,
    crews,
    junctions,
    weather,
    people,
    startPeople: (clock) => people.start(clock),
    startTraffic(clock) {
      const calledOff = [...junctions.values()].map((truth) => truth.start(clock));
      return () => calledOff.forEach((cancel) => cancel());
    },
    powerGone: (device, at) => goDark.get(device)?.(at),
    advanceContainers: (at) => containers.forEach((each) => each.advanceTo(at)),
    save: (at) => ({
      began,
      lamps: mapped(lamps, (each) => each.save(at)),
      presences: Object.fromEntries(presences.map((each) => [each.id, each.passes])),
      containers: mapped(containers, (each) => each.save()),
      crews: mapped(crews, (each) => each.save()),
      junctions: mapped(junctions, (each) => each.save()),
    }),
    restore(state) {
      began = state.began;
      for (const [id, each] of Object.entries(state.lamps)) lamps.get(id)?.restore(each);
      for (const each of presences) each.passes = state.presences[each.id] ?? 0;
      for (const [id, each] of Object.entries(state.containers)) containers.get(id)?.restore(each);
      for (const [id, each] of Object.entries(state.crews)) crews.get(id)?.restore(each);
      for (const [id, each] of Object.entries(state.junctions)) junctions.get(id)?.restore(each);
    },
    figures(at) {
      let energy_kWh = 0;
      let power_W = 0;
      let lit = 0;
      for (const lamp of lamps.values()) {
        energy_kWh += lamp.energy_kWh(at);
        power_W += lamp.powerAt(at);
        if (lamp.levelAt(at) > 0) lit++;
      }
      const violations = watches.reduce((sum, each) => sum + each.violations, 0);
      return {
        energy_kWh,
        power_W,
        lit,
        trips: { ...people.trips },
        passages,
        sensed,
        collections,
        overflows,
        violations,
      };
    },
  };
}

function mapped<T, R>(map: ReadonlyMap<string, T>, of: (value: T) => R): Record<string, R> {
  return Object.fromEntries([...map].map(([id, value]) => [id, of(value)]));
}
