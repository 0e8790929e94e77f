import type { Evidence } from "#control/decision.ts";
import type { Language } from "#protocol/faults.ts";

/** What can be wrong, in one table: how bad it is, and a sentence that says what, what it means for people, what to do. */
interface AlarmKind {
  readonly severity: Severity;
  readonly en: string;
  readonly fr: string;
}
export type Severity = "critical" | "major" | "minor";

export const ALARM_KINDS = {
  "station-silent": {
    severity: "minor",
    en: "Station {station} has been silent for {silent_min} min; its {devices} devices go on by themselves. Check its power and its link.",
    fr: "La station {station} est muette depuis {silent_min} min ; ses {devices} appareils continuent seuls. Vérifiez son alimentation et sa liaison.",
  },
  "feeder-silent": {
    severity: "major",
    en: "{silent} of {stations} stations on feeder {feeder} are silent: the street may be dark. Check the feeder’s fuse and cabinet.",
    fr: "{silent} stations sur {stations} du départ {feeder} sont muettes : la rue est peut-être dans le noir. Vérifiez le fusible et l’armoire.",
  },
  "town-silent": {
    severity: "critical",
    en: "{silent} of {stations} stations are silent: the broker or the network is likely down. The street goes on by itself; check the link of the server.",
    fr: "{silent} stations sur {stations} sont muettes : le courtier ou le réseau est sans doute coupé. La rue continue seule ; vérifiez la liaison du serveur.",
  },
  "lamp-failed": {
    severity: "minor",
    en: "Lamp {device} in {street} reports a failure: a stretch of the street is dark. Send someone with a ladder.",
    fr: "Le luminaire {device}, {street}, signale une panne : un tronçon de rue est dans le noir. Envoyez une nacelle.",
  },
  "container-near-overflow": {
    severity: "minor",
    en: "Container {device} in {street} is {fill_percent} % full and may overflow before the next round. Add it to a round or send a vehicle.",
    fr: "Le conteneur {device}, {street}, est plein à {fill_percent} % et peut déborder avant la prochaine tournée. Ajoutez-le à une tournée ou envoyez un camion.",
  },
  "command-not-applied": {
    severity: "minor",
    en: "{device} has not answered its last command ({action}) for {waiting_s} s though its station is connected. It keeps its earlier plan; check the station.",
    fr: "{device} n’a pas répondu à sa dernière commande ({action}) depuis {waiting_s} s bien que sa station soit connectée. Il garde son plan précédent ; vérifiez la station.",
  },
  "command-refused": {
    severity: "minor",
    en: "{device} refuses its last command ({action}): {problem}. It keeps its earlier plan.",
    fr: "{device} refuse sa dernière commande ({action}) : {problem}. Il garde son plan précédent.",
  },
  "junction-degraded": {
    severity: "major",
    en: "Junction {device} runs in mode {mode}: people wait longer. Check its detectors and its link.",
    fr: "Le carrefour {device} est en mode {mode} : les attentes s’allongent. Vérifiez ses détecteurs et sa liaison.",
  },
  "store-failing": {
    severity: "critical",
    en: "Readings cannot be stored: {problem}. Stations keep them; nothing is lost while their outboxes have room.",
    fr: "Les mesures ne peuvent pas être enregistrées : {problem}. Les stations les gardent ; rien n’est perdu tant qu’elles ont de la place.",
  },
  "journal-broken": {
    severity: "critical",
    en: "The decision journal is broken at entry {entry}: {problem}. Keep the data directory as it is and find out who wrote to it.",
    fr: "Le journal des décisions est rompu à l’entrée {entry} : {problem}. Gardez le répertoire de données en l’état et cherchez qui l’a modifié.",
  },
  "quarantine-growing": {
    severity: "minor",
    en: "{count} readings were put aside as wrong within {minutes} min, most from station {station}. See the quarantine for the reasons.",
    fr: "{count} mesures erronées ont été mises de côté en {minutes} min, surtout de la station {station}. Les raisons sont dans la quarantaine.",
  },
  "clock-wrong": {
    severity: "minor",
    en: "The clock of station {station} is {error_s} s off: its readings are dated wrong and it may refuse commands. Check its time source.",
    fr: "L’horloge de la station {station} est décalée de {error_s} s : ses mesures sont mal datées et elle peut refuser des commandes. Vérifiez sa source de temps.",
  },
  "readings-dropped": {
    severity: "minor",
    en: "Station {station} had to drop {dropped} readings: its outbox is full. Check its link and its disk.",
    fr: "La station {station} a dû abandonner {dropped} mesures : sa file est pleine. Vérifiez sa liaison et son disque.",
  },
  "decision-failed": {
    severity: "major",
    en: "The decision {name} for {subject} cannot be made: {problem}. The last one stays in force.",
    fr: "La décision {name} pour {subject} n’a pas pu être prise : {problem}. La dernière reste en vigueur.",
  },
} as const satisfies Record<string, AlarmKind>;

export type AlarmKey = keyof typeof ALARM_KINDS;

/** The whole sentence, its `{names}` filled from the facts. */
export function alarmSentence(alarm: { readonly key: AlarmKey; readonly facts: Evidence }, language: Language): string {
  return ALARM_KINDS[alarm.key][language].replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(alarm.facts[name] ?? "?"),
  );
}
