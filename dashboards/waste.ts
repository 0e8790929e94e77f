import type { Dashboard } from "./build-dashboard.ts";
import { text } from "./language.ts";
import { higher, lower, NEITHER } from "./panel.ts";
import { growth, rolled, series, table } from "./query.ts";

const place = ["zone", "street", "device"] as const;

/** How full, how soon full, who came, what overflowed. */
export const waste: Dashboard = {
  id: "waste",
  title: text("Waste", "Déchets"),
  description: text(
    "Levels on the map, forecasts with their band, days to full, rounds, overflows",
    "Niveaux sur la carte, prévisions et leur bande, jours avant plein, tournées, débordements",
  ),
  from: "now-2d",
  to: "now+2d",
  places: "container",
  device: text("Container", "Conteneur"),
  policy: true,
  rows: [
    {
      title: text("Containers", "Conteneurs"),
      panels: [
        {
          title: text("Levels", "Niveaux"),
          description: text("The newest level of each container.", "Le dernier niveau de chaque conteneur."),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "map", value: "fill" },
          levels: lower(0.8, 0.95),
          size: [12, 12],
          link: { why: "device" },
          queries: [
            table({
              columns: ['last("fill") AS "fill"'],
              from: "container",
              place,
              by: ["device", "street", "stream"],
            }),
          ],
        },
        {
          title: text("Level and forecast", "Niveau et prévision"),
          description: text(
            "Mean level of the chosen containers, and the forecast of the mornings: the middle, and the band up to what is passed once in ten times, as if nobody came. Choose one container to see its own.",
            "Niveau moyen des conteneurs choisis, et la prévision des matins : le milieu, et la bande jusqu’à ce qui n’est dépassé qu’une fois sur dix, comme si personne ne passait. Choisissez un conteneur pour voir le sien.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          interval: "1h",
          view: {
            kind: "lines",
            band: [text("as likely as not", "une fois sur deux"), text("once in ten", "une fois sur dix")],
          },
          levels: lower(0.8, 0.95),
          size: [12, 12],
          queries: [
            series(
              {
                columns: [rolled("mean", "fill")],
                from: "container",
                policy: "chosen",
                place,
                every: "$__interval",
                fill: "none",
              },
              text("measured", "mesuré"),
            ),
            series(
              { columns: ['mean("q50") AS "q50"'], from: "forecast", place, every: "$__interval", fill: "none" },
              text("as likely as not", "une fois sur deux"),
            ),
            series(
              { columns: ['mean("q90") AS "q90"'], from: "forecast", place, every: "$__interval", fill: "none" },
              text("once in ten", "une fois sur dix"),
            ),
          ],
        },
        {
          title: text("Days to full", "Jours avant plein"),
          description: text(
            "From the newest decision on rounds: days until each container is expected full, whether today's rounds come, and the rule that said so.",
            "De la dernière décision de tournées : jours avant que chaque conteneur soit plein, si les tournées du jour passent, et la règle qui l’a dit.",
          ),
          unit: "d",
          decimals: 1,
          view: { kind: "table" },
          levels: higher(2, 1),
          size: [14, 9],
          link: { why: "device" },
          columns: {
            Time: { hidden: true },
            days_to_full: { title: text("Days to full", "Jours avant plein"), levels: higher(2, 1) },
            visited: { title: text("Visited", "Visité"), unit: "bool_yes_no" },
            because: { title: text("Rule", "Règle"), unit: "string" },
          },
          queries: [
            table({
              columns: [
                'last("days_to_full") AS "days_to_full"',
                'last("visited") AS "visited"',
                'last("because") AS "because"',
              ],
              from: "outlook",
              place,
              by: ["device", "stream"],
            }),
          ],
        },
        {
          title: text("Overflows", "Débordements"),
          description: text(
            "Containers whose level reached their rim in this time.",
            "Conteneurs dont le niveau a atteint le bord dans ce temps.",
          ),
          unit: "percentunit",
          decimals: 0,
          view: { kind: "table", sort: "fill" },
          levels: lower(1, 1.1),
          size: [10, 9],
          link: { why: "device" },
          nothing: text("No container overflowed", "Aucun conteneur n’a débordé"),
          columns: { fill: { title: text("Level", "Niveau") } },
          queries: [
            table({
              columns: ['"fill"'],
              from: { columns: ['max("fill") AS "fill"'], from: "container", place, by: ["device", "street"] },
              where: ['"fill" >= 1'],
              by: ["device", "street"],
            }),
          ],
        },
        {
          title: text("Mean level by stream", "Niveau moyen par flux"),
          description: text(
            "Mean of the reported levels, by what is collected.",
            "Moyenne des niveaux dits, par ce qui est collecté.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          interval: "1h",
          view: { kind: "lines" },
          levels: lower(0.8, 0.95),
          size: [12, 8],
          queries: [
            series(
              {
                columns: [rolled("mean", "fill")],
                from: "container",
                policy: "chosen",
                place,
                every: "$__interval",
                by: ["stream"],
                fill: "none",
              },
              "$tag_stream",
            ),
          ],
        },
        {
          title: text("Hottest container", "Conteneur le plus chaud"),
          description: text(
            "The highest temperature reported: a fire shows here first.",
            "La plus haute température dite : un feu se voit d’abord ici.",
          ),
          unit: "celsius",
          decimals: 0,
          interval: "2h",
          view: { kind: "lines" },
          levels: lower(50, 70),
          size: [12, 8],
          queries: [
            series(
              {
                columns: [rolled("max", "temperature_C")],
                from: "container",
                policy: "chosen",
                place,
                every: "$__interval",
                fill: "none",
              },
              text("hottest", "le plus chaud"),
            ),
          ],
        },
      ],
    },
    {
      title: text("Rounds", "Tournées"),
      panels: [
        {
          title: text("Driven", "Parcourus"),
          description: text("Kilometres of the rounds that have ended.", "Kilomètres des tournées finies."),
          unit: "lengthkm",
          decimals: 1,
          view: { kind: "figure", of: "last" },
          levels: NEITHER,
          size: [6, 5],
          queries: [
            series({ columns: ['sum("distance_km") AS "driven"'], from: "round" }, text("driven", "parcourus")),
          ],
        },
        {
          title: text("Tipped", "Vidés"),
          description: text("Weight tipped by the rounds that have ended.", "Poids vidé par les tournées finies."),
          unit: "masskg",
          decimals: 0,
          view: { kind: "figure", of: "last" },
          levels: NEITHER,
          size: [6, 5],
          queries: [series({ columns: ['sum("weight_kg") AS "tipped"'], from: "round" }, text("tipped", "vidés"))],
        },
        {
          title: text("Containers served", "Conteneurs servis"),
          description: text("Containers emptied, of those planned.", "Conteneurs vidés, sur ceux prévus."),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "figure", of: "last" },
          levels: higher(0.98, 0.9),
          size: [6, 5],
          queries: [
            series({ columns: ['sum("served") / sum("stops") AS "served"'], from: "round" }, text("served", "servis")),
          ],
        },
        {
          title: text("Collections", "Collectes"),
          description: text(
            "How often the chosen containers were emptied, as they say themselves.",
            "Combien de fois les conteneurs choisis ont été vidés, à leur dire.",
          ),
          unit: "short",
          decimals: 0,
          interval: "1h",
          view: { kind: "figure", of: "sum" },
          levels: NEITHER,
          size: [6, 5],
          queries: [
            series(
              growth("container", "collections", { place, every: "$__interval" }),
              text("collections", "collectes"),
            ),
          ],
        },
        {
          title: text("Rounds", "Tournées"),
          description: text("Each round that has ended, newest first.", "Chaque tournée finie, la dernière en haut."),
          unit: "short",
          view: { kind: "table" },
          levels: NEITHER,
          size: [24, 8],
          link: { view: "rounds" },
          columns: {
            distance_km: { title: text("Driven", "Parcourus"), unit: "lengthkm" },
            weight_kg: { title: text("Tipped", "Vidés"), unit: "masskg" },
            duration_s: { title: text("Duration", "Durée"), unit: "s" },
            stops: { title: text("Planned", "Prévus") },
            served: { title: text("Served", "Servis") },
            round: { title: text("Round", "Tournée"), unit: "string" },
          },
          queries: [
            table({
              columns: ['"round"', '"vehicle"', '"distance_km"', '"weight_kg"', '"stops"', '"served"', '"duration_s"'],
              from: "round",
              order: "newest first",
              limit: 100,
            }),
          ],
        },
      ],
    },
  ],
};
