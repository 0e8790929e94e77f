/**
 * What the server itself writes beside the readings, so that what only it knows (why, who, how sure, how fast) can be
 * charted and alerted on like any measure. One row is one measurement: when a point is written, its tags, its fields.
 * A tag with an empty value is left out; numbers are floats; the unit ends the name where there is one.
 */
export interface SeriesField {
  /** `text` is a string; `ms since 1970` is an instant; all others are numbers in that unit. */
  readonly unit: string;
  readonly en: string;
  readonly fr: string;
}

export interface OwnSeries {
  readonly en: string;
  readonly fr: string;
  /** When a point is written, and what its time is. */
  readonly written: string;
  /** As fine as readings are, and kept no longer; all others are kept as long as sums of a quarter of an hour. */
  readonly isFine?: true;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, SeriesField>>;
}

const field = (unit: string, en: string, fr: string): SeriesField => ({ unit, en, fr });
/** The sentences that annotations and tables show, in both languages. */
const sentence = {
  text_en: field("text", "What happened, in English", "Ce qui s’est passé, en anglais"),
  text_fr: field("text", "What happened, in French", "Ce qui s’est passé, en français"),
};
/** Where a device or street lies; as on its readings. */
const where = { zone: "zone of the territory", street: "street of the territory" };

export const SERIES = {
  decision: {
    en: "Decision",
    fr: "Décision",
    written: "with each entry of the journal, at the entry's time",
    tags: {
      name: "function or act: lighting.programme, override.create…",
      subject: "street, junction, depot, scope or policy",
      mode: "shadow, pilot, general or hand",
      rule: "the rule that decided (`because`)",
      acted: "yes or no",
    },
    fields: {
      entry: field("1", "Number in the journal", "Numéro dans le journal"),
      cost: field("1", "What was decided, by the rule's own measure", "Ce qui est décidé, selon la mesure de la règle"),
      refused_cost: field("1", "The best of what was refused", "Le meilleur de ce qui est refusé"),
      ...sentence,
    },
  },
  override: {
    en: "Override",
    fr: "Dérogation",
    written: "when a person takes over, and again when it ends; at that time",
    tags: { scope: "device, group, street or zone", id: "of the scope", state: "active, released or expired" },
    fields: {
      number: field("1", "Number of the override", "Numéro de la dérogation"),
      devices: field("1", "Devices held", "Appareils tenus"),
      until_ms: field("ms since 1970", "Holds until", "Vaut jusqu’à"),
      author: field("text", "Who", "Qui"),
      reason: field("text", "Why", "Pourquoi"),
      ...sentence,
    },
  },
  alarm: {
    en: "Alarm",
    fr: "Alarme",
    written: "when an alarm opens and when it is cleared; at that time",
    tags: { key: "kind of alarm", severity: "critical, major or minor", event: "opened or cleared" },
    fields: {
      number: field("1", "Number of the alarm", "Numéro de l’alarme"),
      subject: field("text", "What it is about", "Ce dont il s’agit"),
      ...sentence,
    },
  },
  deployment: {
    en: "Deployment",
    fr: "Mise en service",
    written: "when the server starts, and when a policy changes its mode or parameters; at that time",
    tags: { what: "server or policy", name: "vigie, or the policy" },
    fields: { version: field("text", "Version or mode", "Version ou mode"), ...sentence },
  },
  place: {
    en: "Where devices are",
    fr: "Où sont les appareils",
    written: "for every device when the server starts and once a day, at that time",
    tags: { device: "id", kind: "kind of device", station: "its station", ...where },
    fields: {
      lat: field("°", "Latitude", "Latitude"),
      lon: field("°", "Longitude", "Longitude"),
    },
  },
  server: {
    en: "The server",
    fr: "Le serveur",
    written: "every minute",
    isFine: true,
    tags: {},
    fields: {
      stored: field("1", "Readings stored in the last minute", "Mesures stockées dans la dernière minute"),
      duplicates: field(
        "1",
        "Readings that came again, in the last minute",
        "Mesures reçues en double, dernière minute",
      ),
      early: field("1", "Batches come too early, in the last minute", "Lots arrivés trop tôt, dernière minute"),
      quarantined: field("1", "Readings put aside, in the last minute", "Mesures écartées, dernière minute"),
      unbooked: field(
        "1",
        "Readings come over a day late, in no sum of a quarter of an hour, in the last minute",
        "Mesures en retard de plus d’un jour, dans aucune somme de quart d’heure, dernière minute",
      ),
      waiting: field("1", "Readings that wait for their commit", "Mesures en attente d’enregistrement"),
      commit_p50_ms: field("ms", "Time of a commit, median", "Durée d’un enregistrement, médiane"),
      commit_p99_ms: field("ms", "Time of a commit, 99 %", "Durée d’un enregistrement, 99 %"),
      puback_p50_ms: field("ms", "Message to acknowledgement, median", "Du message à l’acquittement, médiane"),
      puback_p99_ms: field("ms", "Message to acknowledgement, 99 %", "Du message à l’acquittement, 99 %"),
      stations: field("1", "Stations of the territory", "Stations du territoire"),
      online: field("1", "Stations connected", "Stations connectées"),
      outboxes: field("1", "Readings in all outboxes", "Mesures dans toutes les files"),
      alarms_open: field("1", "Alarms not closed", "Alarmes non closes"),
      alarms_critical: field("1", "Critical alarms not closed", "Alarmes critiques non closes"),
      overrides: field("1", "Overrides that hold", "Dérogations en cours"),
      commands_waiting: field("1", "Commands without an answer", "Commandes sans réponse"),
      lighting_ok: field("1", "Share of lamps that answer and do not fail", "Part des luminaires en ordre"),
      waste_ok: field("1", "Share of containers that answer and are not full", "Part des conteneurs en ordre"),
      traffic_ok: field("1", "Share of junctions that answer and are adaptive", "Part des carrefours en ordre"),
      store_ok: field("1", "1 while readings are stored", "1 tant que les mesures sont stockées"),
      store_B: field("B", "Time-series store on disk", "Base de mesures sur le disque"),
      memory_B: field("B", "Resident memory", "Mémoire résidente"),
    },
  },
  station: {
    en: "Station",
    fr: "Station",
    written:
      "for every station that was ever heard, every 15 minutes, and at once when it comes or goes, its clock moves by over 5 s or it drops readings",
    isFine: true,
    tags: { station: "id" },
    fields: {
      online: field("1", "1 while connected", "1 tant qu’elle est connectée"),
      silent_s: field("s", "Since it was last heard", "Depuis sa dernière parole"),
      clock_error_s: field("s", "Its clock less ours", "Son horloge moins la nôtre"),
      waiting: field("1", "Readings in its outbox", "Mesures dans sa file"),
      dropped: field("1", "Readings that it had to drop", "Mesures abandonnées"),
    },
  },
  quarantine: {
    en: "Quarantine",
    fr: "Quarantaine",
    written: "every minute in which something was put aside, for each reason",
    tags: { code: "code of the fault" },
    fields: { count: field("1", "Put aside", "Mises à l’écart") },
  },
  lighting: {
    en: "Lighting of a street",
    fr: "Éclairage d’une rue",
    written:
      "for every street with lamps, every 15 minutes, at the beginning of the 15 minutes it sums up; again when readings of that time come late, up to a day",
    tags: where,
    fields: {
      energy_kWh: field("kWh", "Energy used, counted by the lamps", "Énergie consommée, comptée par les luminaires"),
      full_kWh: field(
        "kWh",
        "At full output from dusk to dawn, in standby by day",
        "À pleine puissance du crépuscule à l’aube, en veille le jour",
      ),
      half_night_kWh: field(
        "kWh",
        "At half output from 23:00 to 05:00, the best usual plan",
        "À demi-puissance de 23 h à 5 h, le meilleur plan usuel",
      ),
      class_kWh: field(
        "kWh",
        "At the level of its class all night, seen or not",
        "Au niveau de sa classe toute la nuit, vue ou non",
      ),
      power_W: field("W", "Mean power", "Puissance moyenne"),
      /** EN 13201-5: Σ Eᵢ·Aᵢ, the design illuminance of the class times the lit area. */
      flux_lx_m2: field("lx·m²", "Illuminance of the class times area", "Éclairement de la classe par la surface"),
      area_m2: field(
        "m²",
        "Lit area: length by the width of its class",
        "Surface : longueur par largeur du type de voie",
      ),
      lamps: field("1", "Lamps", "Luminaires"),
      lit: field("1", "Lamps alight", "Luminaires allumés"),
      lit_level: field("1", "Levels of the lamps alight, added up", "Somme des niveaux des luminaires allumés"),
      failed: field("1", "Lamps that report a failure", "Luminaires en panne"),
      passes: field("1", "Passages seen", "Passages vus"),
    },
  },
  forecast: {
    en: "Forecast of a container",
    fr: "Prévision d’un conteneur",
    written: "with each decision on rounds: a point an hour for the next 48 hours, at the hour foretold",
    tags: { device: "container", stream: "what is collected", ...where },
    fields: {
      q50: field("1", "As likely passed as not", "Une chance sur deux d’être dépassé"),
      q90: field("1", "Passed once in ten times", "Dépassé une fois sur dix"),
    },
  },
  outlook: {
    en: "Outlook of a container",
    fr: "Perspective d’un conteneur",
    written: "with each decision on rounds, at the decision's time",
    tags: { device: "container", stream: "what is collected", ...where },
    fields: {
      days_to_full: field("d", "Days until it is expected full, at most 14", "Jours avant d’être plein, au plus 14"),
      visited: field("1", "1 when today's rounds come", "1 si les tournées du jour passent"),
      because: field("text", "The rule that decided", "La règle qui a décidé"),
    },
  },
  round: {
    en: "Round",
    fr: "Tournée",
    written: "once its vehicle has served the last stop or its shift has ended, at the departure",
    tags: { vehicle: "vehicle", depot: "depot" },
    fields: {
      round: field("text", "Round", "Tournée"),
      distance_km: field("km", "Driven", "Parcourus"),
      weight_kg: field("kg", "Tipped", "Vidés"),
      stops: field("1", "Containers planned", "Conteneurs prévus"),
      served: field("1", "Containers emptied", "Conteneurs vidés"),
      duration_s: field("s", "Departure to return", "Du départ au retour"),
    },
  },
  phase: {
    en: "Green of a signal group",
    fr: "Vert d’un groupe de feux",
    written: "for every green of every vehicle group, at its beginning, when it has ended",
    isFine: true,
    tags: {
      device: "junction",
      group: "signal group",
      end: "gap-out (nobody came any more), max-out (at its longest although somebody came) or force-off (by the plan, or by the guard for who has waited long)",
    },
    fields: {
      green_s: field("s", "Green shown", "Vert montré"),
      target_s: field("s", "Green that the frame aims at, all its stages", "Vert visé par le cadre, toutes ses phases"),
      red_s: field("s", "Red before it", "Rouge qui précède"),
      begin_s: field("s", "Beginning in the frame's cycle", "Début dans le cycle du cadre"),
      end_s: field("s", "End in the frame's cycle", "Fin dans le cycle du cadre"),
    },
  },
  junction: {
    en: "Junction",
    fr: "Carrefour",
    written:
      "for every junction, every 15 minutes, at the beginning of the 15 minutes it sums up; again when readings of that time come late, up to a day",
    tags: { device: "junction" },
    fields: {
      vehicles: field("1", "Vehicles at the stop lines", "Véhicules aux lignes d’arrêt"),
      delay_s: field(
        "s",
        "Delay of a vehicle: mean queue by time over vehicles (Little 1961)",
        "Retard d’un véhicule : file moyenne par durée sur véhicules (Little 1961)",
      ),
      longest_wait_s: field("s", "Longest wait", "Attente la plus longue"),
      fallback_s: field("s", "Not adaptive", "Hors mode adaptatif"),
      split_failures: field("1", "Greens too short for their queue", "Verts trop courts pour leur file"),
      arrivals_green: field("1", "Vehicles that came on green", "Véhicules arrivés au vert"),
      arrivals_red: field("1", "Vehicles that came on red", "Véhicules arrivés au rouge"),
    },
  },
} as const satisfies Record<string, OwnSeries>;

export type SeriesName = keyof typeof SERIES;

/** Kept no longer than readings. */
export const FINE_SERIES: ReadonlySet<string> = new Set(
  Object.entries(SERIES as Readonly<Record<string, OwnSeries>>).flatMap(([name, { isFine }]) => (isFine ? [name] : [])),
);
