import type { Seconds } from "./units.ts";
import { seconds } from "./units.ts";

/**
 * Device kinds are data: one row says what a kind measures, in which unit and range and how often it reports, which
 * commands it accepts and what it does when it knows nothing. Validation, store, simulator, API and the reference page
 * all read this table. Names follow TALQ 2.7.1 functions and FIWARE Smart Data Models where these have one.
 */

/** How much a reading matters when the outbox is full: samples go first, then states; events are kept to the last. */
export type MessageClass = "sample" | "state" | "event";

export interface Measure {
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly class: MessageClass;
  /**
   * Reported at least every `every_s`, and soon when it moves by more than `change` (0: at any change): moves of `gather_s`,
   * one second unless said otherwise, travel together, each with its own time.
   */
  readonly report: { readonly every_s: Seconds; readonly change: number; readonly gather_s?: Seconds };
  /** A counter only grows; it goes on over restarts and wraps nowhere. */
  readonly counter?: true;
  /** Names of the values 0, 1, 2… of a measure that is a choice. */
  readonly names?: readonly string[];
  readonly en: string;
  readonly fr: string;
}

export interface Kind {
  readonly en: string;
  readonly fr: string;
  readonly talq: string;
  readonly fiware: string;
  readonly service: "lighting" | "waste" | "traffic" | "environment";
  readonly measures: Readonly<Record<string, Measure>>;
  /** Names of the command values it accepts; their shapes are in messages.ts. */
  readonly accepts: readonly string[];
  /** What it does without any order, in words. */
  readonly safe: string;
}

/** The rules by which a lamp settles its level; the measure `rule` is an index into this list. */
export const LAMP_RULES = ["guard", "override", "presence", "programme", "daylight", "class-level", "fault"] as const;
/** What a junction runs: adaptive inside its frame, its last frame as it is, the fixed plan, flashing amber. */
export const SIGNAL_MODES = ["adaptive", "frame", "fixed", "flash"] as const;
/**
 * How a green ended: nobody came any more, at its longest although somebody came, or from outside (its guard, a plan, a change of
 * mode); the phase terminations of ATSPM (FHWA-HOP-20-002).
 */
export const GREEN_ENDS = ["gap-out", "max-out", "force-off"] as const;

const quarter = seconds(900);
const fiveMinutes = seconds(300);
const minute = seconds(60);
/** A crossing shows something else every few seconds: said one by one, that would be most of what a town says. */
const GATHER_SIGNALS_S = seconds(5);

export const KINDS = {
  lamp: {
    en: "Lamp controller",
    fr: "Contrôleur de luminaire",
    talq: "LampActuatorFunction, LampMonitorFunction",
    fiware: "Streetlight",
    service: "lighting",
    measures: {
      level: measure("1", 0, 1, "state", quarter, 0.01, "Dimming level", "Niveau de gradation"),
      power_W: measure("W", 0, 2000, "sample", quarter, 2, "Active power", "Puissance active"),
      energy_kWh: counter("kWh", 1e7, "sample", quarter, 0.1, "Energy, counted", "Énergie, comptée"),
      burning_h: counter("h", 1e6, "sample", seconds(86_400), 1, "Burning hours", "Heures de fonctionnement"),
      rule: choice(LAMP_RULES, "state", quarter, "Rule that settles the level", "Règle qui fixe le niveau"),
      failed: choice(["no", "yes"], "event", quarter, "Lamp failure", "Panne de lampe"),
    },
    accepts: ["programme", "lamp-override", "release"],
    safe: "runs its last programme, then its class level by its own sunset and sunrise; lights when someone passes",
  },
  presence: {
    en: "Presence sensor",
    fr: "Détecteur de présence",
    talq: "PresenceSensorFunction",
    fiware: "Device",
    service: "lighting",
    measures: {
      passes: counter("1", 1e9, "sample", quarter, 5, "Passages, counted", "Passages, comptés"),
    },
    accepts: [],
    safe: "reports nothing; lamps stay on their programme",
  },
  photocell: {
    en: "Photocell",
    fr: "Cellule photoélectrique",
    talq: "PhotocellFunction",
    fiware: "Device",
    service: "environment",
    measures: {
      illuminance_lx: measure("lx", 0, 150_000, "sample", quarter, 500, "Illuminance", "Éclairement"),
    },
    accepts: [],
    safe: "reports nothing; the altitude of the sun decides",
  },
  meter: {
    en: "Electrical meter",
    fr: "Compteur électrique",
    talq: "ElectricalMeterFunction",
    fiware: "ACMeasurement",
    service: "lighting",
    measures: {
      power_W: measure("W", 0, 1e6, "sample", quarter, 200, "Active power", "Puissance active"),
      energy_kWh: counter("kWh", 1e9, "sample", quarter, 5, "Energy, counted", "Énergie, comptée"),
    },
    accepts: [],
    safe: "keeps counting and reports when the link is back",
  },
  container: {
    en: "Waste container",
    fr: "Conteneur de déchets",
    talq: "WasteContainerFunction, FillingLevelSensorFunction",
    fiware: "WasteContainer",
    service: "waste",
    measures: {
      fill: measure("1", 0, 1.5, "state", seconds(3600), 0.05, "Filling level", "Niveau de remplissage"),
      collections: counter("1", 1e6, "event", seconds(86_400), 0, "Collections, counted", "Collectes, comptées"),
      temperature_C: measure("°C", -40, 200, "sample", seconds(7200), 5, "Temperature", "Température"),
    },
    accepts: [],
    safe: "keeps its readings until the link is back",
  },
  vehicle: {
    en: "Collection vehicle",
    fr: "Camion de collecte",
    talq: "—",
    fiware: "Vehicle",
    service: "waste",
    measures: {
      stop: measure(
        "1",
        0,
        10_000,
        "state",
        seconds(3600),
        0,
        "Stops of the round served",
        "Arrêts de la tournée faits",
      ),
      load_kg: measure("kg", 0, 40_000, "state", seconds(3600), 50, "Load", "Chargement"),
      distance_km: counter("km", 1e7, "sample", seconds(3600), 5, "Distance, counted", "Distance, comptée"),
    },
    accepts: ["round"],
    safe: "keeps its last round sheet",
  },
  loop: {
    en: "Inductive loop",
    fr: "Boucle inductive",
    talq: "TrafficCounterFunction",
    fiware: "TrafficFlowObserved",
    service: "traffic",
    measures: {
      vehicles: counter("1", 1e9, "sample", minute, 1e9, "Vehicles, counted", "Véhicules, comptés"),
      occupancy: measure("1", 0, 1, "sample", minute, 1, "Occupancy", "Taux d’occupation"),
    },
    accepts: [],
    safe: "its junction treats it as occupied after half a minute of silence",
  },
  camera: {
    en: "Camera counter",
    fr: "Caméra de comptage",
    talq: "TrafficCounterFunction",
    fiware: "ItemFlowObserved",
    service: "traffic",
    measures: {
      vehicles: counter("1", 1e9, "sample", minute, 1e9, "Vehicles, counted", "Véhicules, comptés"),
      bicycles: counter("1", 1e9, "sample", minute, 1e9, "Bicycles, counted", "Vélos, comptés"),
      pedestrians: counter("1", 1e9, "sample", minute, 1e9, "Pedestrians, counted", "Piétons, comptés"),
    },
    accepts: [],
    safe: "its junction treats it as occupied after half a minute of silence",
  },
  signal: {
    en: "Signal controller",
    fr: "Contrôleur de carrefour",
    talq: "—",
    fiware: "TrafficFlowObserved",
    service: "traffic",
    measures: {
      stage: gathered(
        GATHER_SIGNALS_S,
        "1",
        -1,
        31,
        "state",
        quarter,
        0,
        "Stage shown (-1: between stages)",
        "Phase affichée (-1 : entre deux)",
      ),
      greens: gathered(
        GATHER_SIGNALS_S,
        "1",
        0,
        4_294_967_295,
        "state",
        quarter,
        0,
        "Green groups, one bit each",
        "Groupes au vert, un bit chacun",
      ),
      ended: {
        ...choice(GREEN_ENDS, "state", quarter, "How the last green ended", "Fin du dernier vert"),
        report: { every_s: quarter, change: 0, gather_s: GATHER_SIGNALS_S },
      },
      longest_wait_s: measure("s", 0, 3600, "sample", minute, 30, "Longest wait now", "Attente la plus longue"),
      queue: measure("1", 0, 10_000, "sample", minute, 1e9, "Vehicles queued", "Véhicules en file"),
      mode: choice(SIGNAL_MODES, "event", quarter, "Mode of control", "Mode de régulation"),
      terminations: counter(
        "1",
        1e9,
        "sample",
        quarter,
        1e9,
        "Greens ended by gap-out",
        "Verts finis par absence de demande",
      ),
      split_failures: counter(
        "1",
        1e9,
        "sample",
        fiveMinutes,
        1e9,
        "Greens too short for their queue",
        "Verts trop courts pour leur file",
      ),
      arrivals_green: counter(
        "1",
        1e9,
        "sample",
        fiveMinutes,
        1e9,
        "Vehicles that came on green",
        "Véhicules arrivés au vert",
      ),
      arrivals_red: counter(
        "1",
        1e9,
        "sample",
        fiveMinutes,
        1e9,
        "Vehicles that came on red",
        "Véhicules arrivés au rouge",
      ),
    },
    accepts: ["frame", "signal-override", "release"],
    safe: "keeps its last frame, then its fixed plan; its guard never rests",
  },
  button: {
    en: "Pedestrian button",
    fr: "Bouton piéton",
    talq: "—",
    fiware: "Device",
    service: "traffic",
    measures: {
      calls: counter("1", 1e9, "sample", quarter, 1e9, "Calls, counted", "Appels, comptés"),
      waiting: choice(["no", "yes"], "state", quarter, "Someone waits", "Quelqu’un attend"),
    },
    accepts: [],
    safe: "its junction treats it as pressed after half a minute of silence",
  },
  weather: {
    en: "Weather station",
    fr: "Station météo",
    talq: "—",
    fiware: "WeatherObserved",
    service: "environment",
    measures: {
      temperature_C: measure("°C", -60, 70, "sample", quarter, 1, "Air temperature", "Température de l’air"),
      rain_mm_h: measure("mm/h", 0, 500, "sample", quarter, 0.5, "Rain", "Pluie"),
      wind_m_s: measure("m/s", 0, 120, "sample", quarter, 3, "Wind", "Vent"),
    },
    accepts: [],
    safe: "reports nothing",
  },
} as const satisfies Record<string, Kind>;

export type DeviceKind = keyof typeof KINDS;
export const DEVICE_KINDS = Object.keys(KINDS) as DeviceKind[];

/** The row of a measure, or undefined when this kind has no such measure. */
export function measureOf(kind: DeviceKind, name: string): Measure | undefined {
  const measures: Readonly<Record<string, Measure>> = KINDS[kind].measures;
  return Object.hasOwn(measures, name) ? measures[name] : undefined;
}

function measure(
  unit: string,
  min: number,
  max: number,
  messageClass: MessageClass,
  every_s: Seconds,
  change: number,
  en: string,
  fr: string,
): Measure {
  return { unit, min, max, class: messageClass, report: { every_s, change }, en, fr };
}

function gathered(gather_s: Seconds, ...row: Parameters<typeof measure>): Measure {
  const made = measure(...row);
  return { ...made, report: { ...made.report, gather_s } };
}

function counter(
  unit: string,
  max: number,
  messageClass: MessageClass,
  every_s: Seconds,
  change: number,
  en: string,
  fr: string,
): Measure {
  return { ...measure(unit, 0, max, messageClass, every_s, change, en, fr), counter: true };
}

function choice(
  names: readonly string[],
  messageClass: MessageClass,
  every_s: Seconds,
  en: string,
  fr: string,
): Measure {
  return { ...measure("1", 0, names.length - 1, messageClass, every_s, 0, en, fr), names };
}
