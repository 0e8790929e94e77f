import type { Dashboard } from "./build-dashboard.ts";
import { text } from "./language.ts";
import type { Text } from "./language.ts";
import { higher, lower, NEITHER } from "./panel.ts";
import type { Query } from "./query.ts";
import { series, table } from "./query.ts";

const minutely = (field: string, name: Text, aggregate = "mean"): Query =>
  series(
    { columns: [`${aggregate}("${field}") AS "${field}"`], from: "server", every: "$__interval", fill: "none" },
    name,
  );
const now = (field: string, name: Text): Query =>
  series({ columns: [`last("${field}") AS "${field}"`], from: "server" }, name);

/** Who speaks, how well its clock goes, what was not believed, how fast readings are kept. */
export const fleet: Dashboard = {
  id: "fleet",
  title: text("Fleet and data quality", "Parc et qualité des données"),
  description: text(
    "Last seen, clock error, quarantine, duplicates, outboxes, ingest and PUBACK times",
    "Dernière parole, erreur d’horloge, quarantaine, doublons, files, durées d’enregistrement et de PUBACK",
  ),
  from: "now-6h",
  rows: [
    {
      title: text("Stations", "Stations"),
      panels: [
        {
          title: text("Stations connected", "Stations connectées"),
          description: text("Of all stations of the territory.", "Sur toutes les stations du territoire."),
          unit: "short",
          decimals: 0,
          view: { kind: "figure", of: "last" },
          levels: NEITHER,
          size: [6, 5],
          queries: [now("online", text("connected", "connectées")), now("stations", text("all", "toutes"))],
        },
        {
          title: text("PUBACK, 99 %", "PUBACK, 99 %"),
          description: text(
            "From a message to its acknowledgement: stored durably first.",
            "Du message à son acquittement : enregistré durablement d’abord.",
          ),
          unit: "ms",
          decimals: 0,
          view: { kind: "figure", of: "last" },
          levels: lower(100, 1000),
          size: [6, 5],
          queries: [now("puback_p99_ms", text("PUBACK, 99 %", "PUBACK, 99 %"))],
        },
        {
          title: text("In outboxes", "Dans les files"),
          description: text(
            "Readings that stations hold until they are stored.",
            "Mesures que les stations gardent jusqu’à leur enregistrement.",
          ),
          unit: "short",
          decimals: 0,
          view: { kind: "figure", of: "last" },
          levels: lower(10_000, 100_000),
          size: [6, 5],
          queries: [now("outboxes", text("in outboxes", "dans les files"))],
        },
        {
          title: text("Store", "Base de mesures"),
          description: text("The time-series store on disk.", "La base de mesures sur le disque."),
          unit: "bytes",
          decimals: 1,
          view: { kind: "figure", of: "last" },
          levels: lower(50e9, 100e9),
          size: [6, 5],
          queries: [now("store_B", text("on disk", "sur le disque"))],
        },
        {
          title: text("Each station", "Chaque station"),
          description: text(
            "When it was last heard, its clock less the server's, what waits in its outbox, what it had to drop: as of the last quarter of an hour, or since it came or went.",
            "Sa dernière parole, son horloge moins celle du serveur, ce qui attend dans sa file, ce qu’elle a dû abandonner : au dernier quart d’heure, ou depuis qu’elle est venue ou partie.",
          ),
          unit: "short",
          view: { kind: "table", sort: "silent_s" },
          levels: NEITHER,
          size: [24, 10],
          columns: {
            Time: { hidden: true },
            silent_s: { title: text("Silent", "Muette depuis"), unit: "s", levels: lower(1800, 7200) },
            clock_error_s: { title: text("Clock error", "Erreur d’horloge"), unit: "s", levels: lower(10, 30) },
            waiting: { title: text("Waiting", "En attente"), levels: lower(100, 1000) },
            dropped: { title: text("Dropped", "Abandonnées"), levels: lower(1, 100) },
            online: { title: text("Connected", "Connectée"), unit: "bool_yes_no" },
          },
          queries: [
            table({
              columns: ["silent_s", "clock_error_s", "waiting", "dropped", "online"].map(
                (field) => `last("${field}") AS "${field}"`,
              ),
              from: "station",
              by: ["station"],
            }),
          ],
        },
        {
          title: text("Largest clock error", "Plus grande erreur d’horloge"),
          description: text(
            "How far the fastest clock is ahead and the slowest behind.",
            "De combien l’horloge la plus rapide avance et la plus lente retarde.",
          ),
          unit: "s",
          interval: "15m",
          view: { kind: "lines" },
          levels: lower(10, 30),
          size: [12, 8],
          queries: [
            series(
              { columns: ['max("clock_error_s") AS "ahead"'], from: "station", every: "$__interval", fill: "none" },
              text("ahead", "en avance"),
            ),
            series(
              { columns: ['min("clock_error_s") AS "behind"'], from: "station", every: "$__interval", fill: "none" },
              text("behind", "en retard"),
            ),
          ],
        },
        {
          title: text("Outboxes", "Files"),
          description: text("The fullest outbox, and all together.", "La file la plus pleine, et toutes ensemble."),
          unit: "short",
          decimals: 0,
          min: 0,
          interval: "15m",
          view: { kind: "lines" },
          levels: lower(10_000, 100_000),
          size: [12, 8],
          queries: [
            minutely("outboxes", text("all", "toutes"), "max"),
            series(
              { columns: ['max("waiting") AS "fullest"'], from: "station", every: "$__interval", fill: "none" },
              text("fullest", "la plus pleine"),
            ),
          ],
        },
      ],
    },
    {
      title: text("Readings", "Mesures"),
      panels: [
        {
          title: text("Readings stored", "Mesures enregistrées"),
          description: text("Readings committed, a minute.", "Mesures enregistrées, par minute."),
          unit: "suffix: /min",
          decimals: 0,
          min: 0,
          interval: "1m",
          view: { kind: "lines" },
          levels: higher(1, 0.1),
          size: [12, 8],
          queries: [minutely("stored", text("stored", "enregistrées"))],
        },
        {
          title: text("Twice, too early or too late", "En double, trop tôt ou trop tard"),
          description: text(
            "Readings that came again and were dropped, and batches that came before those they follow: a bad line, nothing lost. Readings over a day late are stored and miss in the sums by quarter of an hour.",
            "Mesures revenues et écartées, et lots arrivés avant ceux qu’ils suivent : mauvaise liaison, rien de perdu. Les mesures en retard de plus d’un jour sont enregistrées et manquent aux sommes par quart d’heure.",
          ),
          unit: "suffix: /min",
          decimals: 0,
          min: 0,
          interval: "1m",
          view: { kind: "lines" },
          levels: lower(100, 1000),
          size: [12, 8],
          queries: [
            minutely("duplicates", text("twice", "en double")),
            minutely("early", text("too early", "trop tôt")),
            minutely("unbooked", text("over a day late", "plus d’un jour de retard"), "max"),
          ],
        },
        {
          title: text("Time to store", "Durée d’enregistrement"),
          description: text(
            "Of a commit, and from a message to its acknowledgement.",
            "D’un enregistrement, et du message à son acquittement.",
          ),
          unit: "ms",
          min: 0,
          interval: "1m",
          view: { kind: "lines" },
          levels: lower(100, 1000),
          size: [12, 8],
          queries: [
            minutely("puback_p50_ms", text("PUBACK, median", "PUBACK, médiane")),
            minutely("puback_p99_ms", text("PUBACK, 99 %", "PUBACK, 99 %"), "max"),
            minutely("commit_p50_ms", text("commit, median", "enregistrement, médiane")),
            minutely("commit_p99_ms", text("commit, 99 %", "enregistrement, 99 %"), "max"),
          ],
        },
        {
          title: text("Quarantine", "Quarantaine"),
          description: text(
            "Readings that could not be believed, by reason; the console's fleet page shows them.",
            "Mesures auxquelles on n’a pu croire, par raison ; la page du parc les montre.",
          ),
          unit: "short",
          decimals: 0,
          interval: "1m",
          view: { kind: "bars" },
          levels: lower(1, 20),
          size: [12, 8],
          nothing: text("Nothing was put aside", "Rien n’a été mis à l’écart"),
          queries: [
            series(
              {
                columns: ['sum("count") AS "count"'],
                from: "quarantine",
                every: "$__interval",
                by: ["code"],
                fill: "none",
              },
              "$tag_code",
            ),
          ],
        },
        {
          title: text("Waiting for a commit", "En attente d’enregistrement"),
          description: text(
            "Readings in the server that are not yet on disk.",
            "Mesures dans le serveur qui ne sont pas encore sur le disque.",
          ),
          unit: "short",
          decimals: 0,
          min: 0,
          interval: "1m",
          view: { kind: "lines" },
          levels: lower(10_000, 100_000),
          size: [12, 8],
          queries: [minutely("waiting", text("waiting", "en attente"), "max")],
        },
        {
          title: text("Memory", "Mémoire"),
          description: text("Resident memory of the server.", "Mémoire résidente du serveur."),
          unit: "bytes",
          min: 0,
          interval: "1m",
          view: { kind: "lines" },
          levels: lower(1e9, 2e9),
          size: [12, 8],
          queries: [minutely("memory_B", text("resident", "résidente"))],
        },
      ],
    },
  ],
};
