import { SOURCE } from "./build-panel.ts";
import type { Language, Text } from "./language.ts";
import { text } from "./language.ts";
import type { Query } from "./query.ts";
import { series } from "./query.ts";

/** What wakes someone: the newest value of a query, held against a limit for a while. */
export interface Alert {
  /** Its uid is `vigie-{id}`. */
  readonly id: string;
  readonly title: Text;
  /** What it means for people, and what to do. */
  readonly summary: Text;
  readonly severity: "critical" | "major" | "minor";
  readonly query: Query;
  /** How far back it looks. */
  readonly window_s: number;
  readonly when: "above" | "below";
  readonly limit: number;
  readonly for: string;
  /** What silence means: nothing was put aside, or the server no longer writes. */
  readonly silence: "OK" | "Alerting" | "NoData";
  /** The dashboard that shows it. */
  readonly dashboard: string;
}

export const ALERTS: readonly Alert[] = [
  {
    id: "store-failing",
    title: text("Readings are not stored", "Les mesures ne sont pas enregistrées"),
    summary: text(
      "The server does not store readings, or is silent itself. Stations keep them while their outboxes have room. Look at the server and its disk.",
      "Le serveur n’enregistre pas les mesures, ou se tait lui-même. Les stations les gardent tant que leurs files ont de la place. Voyez le serveur et son disque.",
    ),
    severity: "critical",
    query: series({ columns: ['last("store_ok") AS "ok"'], from: "server" }),
    window_s: 300,
    when: "below",
    limit: 1,
    for: "2m",
    silence: "Alerting",
    dashboard: "fleet",
  },
  {
    id: "critical-alarm",
    title: text("Critical alarms are open", "Des alarmes critiques sont ouvertes"),
    summary: text(
      "Vigie itself has opened critical alarms. Read them in the console.",
      "Vigie a ouvert des alarmes critiques. Lisez-les dans la console.",
    ),
    severity: "critical",
    query: series({ columns: ['last("alarms_critical") AS "open"'], from: "server" }),
    window_s: 300,
    when: "above",
    limit: 0,
    for: "1m",
    silence: "NoData",
    dashboard: "town",
  },
  {
    id: "long-wait",
    title: text("Someone waits over 120 s at a junction", "Quelqu’un attend plus de 120 s à un carrefour"),
    summary: text(
      "Junction {{ $labels.device }}: people wait longer than they may, and begin to cross on red. Look at its detectors and its mode.",
      "Carrefour {{ $labels.device }} : l’attente dépasse la limite, et l’on traverse au rouge. Voyez ses détecteurs et son mode.",
    ),
    severity: "major",
    query: series({ columns: ['max("longest_wait_s") AS "wait"'], from: "signal", by: ["device"] }),
    window_s: 300,
    when: "above",
    limit: 120,
    for: "2m",
    silence: "NoData",
    dashboard: "traffic",
  },
  {
    id: "lamps-failed",
    title: text("One lamp in twenty fails in a zone", "Un luminaire sur vingt en panne dans une zone"),
    summary: text(
      "Zone {{ $labels.zone }}: stretches of street are dark. Send someone with a ladder, the feeder first.",
      "Zone {{ $labels.zone }} : des tronçons de rue sont dans le noir. Envoyez une nacelle, d’abord au départ.",
    ),
    severity: "major",
    query: series({ columns: ['sum("failed") / sum("lamps") AS "failed"'], from: "lighting", by: ["zone"] }),
    window_s: 3600,
    when: "above",
    limit: 0.05,
    for: "15m",
    silence: "NoData",
    dashboard: "lighting",
  },
  {
    id: "overflow",
    title: text("A container overflows", "Un conteneur déborde"),
    summary: text(
      "Container {{ $labels.device }} in {{ $labels.street }} is full to its rim. Add it to a round or send a vehicle.",
      "Le conteneur {{ $labels.device }}, {{ $labels.street }}, est plein à ras bord. Ajoutez-le à une tournée ou envoyez un camion.",
    ),
    severity: "minor",
    query: series({ columns: ['last("fill") AS "fill"'], from: "container", by: ["device", "street"] }),
    window_s: 7200,
    when: "above",
    limit: 1,
    for: "15m",
    silence: "NoData",
    dashboard: "waste",
  },
  {
    id: "container-hot",
    title: text("A container is hot", "Un conteneur chauffe"),
    summary: text(
      "Container {{ $labels.device }} in {{ $labels.street }} may burn. Call the fire brigade.",
      "Le conteneur {{ $labels.device }}, {{ $labels.street }}, brûle peut-être. Appelez les pompiers.",
    ),
    severity: "critical",
    query: series({ columns: ['last("temperature_C") AS "temperature"'], from: "container", by: ["device", "street"] }),
    window_s: 14_400,
    when: "above",
    limit: 70,
    for: "0s",
    silence: "NoData",
    dashboard: "waste",
  },
  {
    id: "stations-silent",
    title: text("One station in ten is silent", "Une station sur dix est muette"),
    summary: text(
      "Devices go on by themselves, but nothing is seen and nothing new is decided for them. Look at the network.",
      "Les appareils continuent seuls, mais on ne voit rien et rien de nouveau n’est décidé pour eux. Voyez le réseau.",
    ),
    severity: "major",
    query: series({ columns: ['last("online") / last("stations") AS "connected"'], from: "server" }),
    window_s: 300,
    when: "below",
    limit: 0.9,
    for: "10m",
    silence: "NoData",
    dashboard: "fleet",
  },
  {
    id: "clock-wrong",
    title: text("A station's clock is wrong", "L’horloge d’une station est fausse"),
    summary: text(
      "Station {{ $labels.station }} dates its readings wrong. Look at its time source.",
      "La station {{ $labels.station }} date mal ses mesures. Voyez sa source de temps.",
    ),
    severity: "minor",
    query: series({
      columns: ['last("off") AS "off"'],
      from: { columns: ['abs("clock_error_s") AS "off"'], from: "station", by: ["station"] },
      by: ["station"],
    }),
    // Told of each quarter of an hour: one is always inside, and one alone does not wake anybody.
    window_s: 1200,
    when: "above",
    limit: 30,
    for: "20m",
    silence: "NoData",
    dashboard: "fleet",
  },
  {
    id: "quarantine",
    title: text("Readings are put aside", "Des mesures sont mises à l’écart"),
    summary: text(
      "Over 20 readings in ten minutes could not be believed. The fleet page shows them with the reason.",
      "Plus de 20 mesures en dix minutes n’ont pu être crues. La page du parc les montre, avec la raison.",
    ),
    severity: "minor",
    query: series({ columns: ['sum("count") AS "count"'], from: "quarantine" }),
    window_s: 600,
    when: "above",
    limit: 20,
    for: "0s",
    silence: "OK",
    dashboard: "fleet",
  },
  {
    id: "puback-slow",
    title: text("Readings are acknowledged slowly", "Les mesures sont acquittées lentement"),
    summary: text(
      "The slowest hundredth of messages waits over a second for its acknowledgement. Look at the server's disk and load.",
      "Le centième le plus lent des messages attend plus d’une seconde son acquittement. Voyez le disque et la charge du serveur.",
    ),
    severity: "minor",
    query: series({ columns: ['mean("puback_p99_ms") AS "puback"'], from: "server" }),
    window_s: 600,
    when: "above",
    limit: 1000,
    for: "5m",
    silence: "NoData",
    dashboard: "fleet",
  },
];

/** One rule as Grafana provisions it: the query, its newest value, the limit. */
export function provisionedRule(alert: Alert, language: Language): Record<string, unknown> {
  const range = { from: alert.window_s, to: 0 };
  const step = (refId: string, model: Record<string, unknown>): Record<string, unknown> => ({
    refId,
    relativeTimeRange: range,
    datasourceUid: "__expr__",
    model: { refId, datasource: { type: "__expr__", uid: "__expr__" }, ...model },
  });
  return {
    uid: `vigie-${alert.id}`,
    title: alert.title[language],
    condition: "C",
    for: alert.for,
    noDataState: alert.silence,
    execErrState: "Error",
    labels: { severity: alert.severity, product: "vigie" },
    annotations: { summary: alert.summary[language] },
    data: [
      {
        refId: "A",
        relativeTimeRange: range,
        datasourceUid: SOURCE.uid,
        model: {
          refId: "A",
          datasource: SOURCE,
          query: alert.query.influxql,
          rawQuery: true,
          resultFormat: alert.query.format,
          intervalMs: 1000,
          maxDataPoints: 43_200,
        },
      },
      step("B", { type: "reduce", expression: "A", reducer: "last", settings: { mode: "dropNN" } }),
      step("C", {
        type: "threshold",
        expression: "B",
        conditions: [{ evaluator: { type: alert.when === "above" ? "gt" : "lt", params: [alert.limit] } }],
      }),
    ],
  };
}
