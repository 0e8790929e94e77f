import type { Dashboard } from "./build-dashboard.ts";
import { text } from "./language.ts";
import { higher, lower, MODES, NEITHER } from "./panel.ts";
import { series, worded } from "./query.ts";

const SAVED = 'sum("full_kWh") - sum("energy_kWh")';
const place = ["zone", "street"] as const;

/** What the town saves today, whether it is well, and what the machine decides. */
export const town: Dashboard = {
  id: "town",
  title: text("Town", "Ville"),
  description: text(
    "Savings today, open alarms, health of the services, decisions an hour",
    "Économies du jour, alarmes ouvertes, santé des services, décisions par heure",
  ),
  from: "now/d",
  places: "lighting",
  factors: [
    { name: "price", label: text("Euro a kWh", "Euros le kWh"), value: "0.22" },
    { name: "carbon", label: text("kg of CO₂ a kWh", "kg de CO₂ par kWh"), value: "0.052" },
  ],
  rows: [
    {
      title: text("Saved today", "Économisé aujourd’hui"),
      panels: [
        {
          title: text("Energy saved", "Énergie économisée"),
          description: text(
            "What the lamps would have used at full output from dusk to dawn and in standby by day, less what they counted.",
            "Ce que les luminaires auraient consommé à pleine puissance du crépuscule à l’aube et en veille le jour, moins ce qu’ils ont compté.",
          ),
          unit: "kwatth",
          decimals: 1,
          view: { kind: "figure", of: "last" },
          levels: higher(0.1, 0),
          size: [5, 5],
          queries: [series({ columns: [`${SAVED} AS "saved"`], from: "lighting", place }, text("saved", "économisée"))],
        },
        {
          title: text("Money saved", "Argent économisé"),
          description: text("The energy saved at the price above.", "L’énergie économisée, au prix indiqué en haut."),
          unit: "currencyEUR",
          decimals: 2,
          view: { kind: "figure", of: "last" },
          levels: higher(0.01, 0),
          size: [5, 5],
          queries: [
            series(
              { columns: [`(${SAVED}) * $price AS "saved"`], from: "lighting", place },
              text("saved", "économisé"),
            ),
          ],
        },
        {
          title: text("CO₂ avoided", "CO₂ évité"),
          description: text(
            "The energy saved at the emission factor above.",
            "L’énergie économisée, au facteur d’émission indiqué en haut.",
          ),
          unit: "suffix: kg",
          decimals: 2,
          view: { kind: "figure", of: "last" },
          levels: higher(0.01, 0),
          size: [5, 5],
          queries: [
            series(
              { columns: [`(${SAVED}) * $carbon AS "avoided"`], from: "lighting", place },
              text("avoided", "évité"),
            ),
          ],
        },
        {
          title: text("Share saved", "Part économisée"),
          description: text(
            "Energy saved over energy at full output.",
            "Énergie économisée sur énergie à pleine puissance.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "figure", of: "last" },
          levels: higher(0.5, 0.2),
          size: [4, 5],
          queries: [
            series(
              { columns: [`1 - sum("energy_kWh") / sum("full_kWh") AS "share"`], from: "lighting", place },
              text("share", "part"),
            ),
          ],
        },
        {
          title: text("Saved by zone", "Économie par zone"),
          description: text("Energy saved in each zone.", "Énergie économisée dans chaque zone."),
          unit: "kwatth",
          decimals: 1,
          view: { kind: "ranking", of: "last" },
          levels: higher(0.1, 0),
          size: [5, 5],
          queries: [series({ columns: [`${SAVED} AS "saved"`], from: "lighting", place, by: ["zone"] }, "$tag_zone")],
        },
        {
          title: text("What saves", "Ce qui économise"),
          description: text(
            "By the hour: lowering to the class that the traffic asks for, and dimming while nobody is near. Standby by day is on both sides; at dawn an hour may go below zero by a little, since each lamp counts its quarter of an hour from a minute of its own.",
            "Par heure : l’abaissement à la classe que demande le trafic, et la gradation quand personne n’est là. La veille du jour est des deux côtés ; à l’aube, une heure peut passer un peu sous zéro, car chaque luminaire compte son quart d’heure depuis une minute à lui.",
          ),
          unit: "kwatth",
          view: { kind: "bars" },
          levels: NEITHER,
          size: [24, 7],
          queries: [
            series(
              {
                columns: ['sum("full_kWh") - sum("class_kWh") AS "class"'],
                from: "lighting",
                place,
                every: "1h",
                fill: "none",
              },
              text("class by traffic", "classe selon le trafic"),
            ),
            series(
              {
                columns: ['sum("class_kWh") - sum("energy_kWh") AS "presence"'],
                from: "lighting",
                place,
                every: "1h",
                fill: "none",
              },
              text("nobody near", "personne à proximité"),
            ),
          ],
        },
      ],
    },
    {
      title: text("Is the town well", "La ville va-t-elle bien"),
      panels: [
        {
          title: text("Open alarms", "Alarmes ouvertes"),
          description: text(
            "Alarms that are not closed, and the critical ones.",
            "Alarmes non closes, dont critiques.",
          ),
          unit: "short",
          view: { kind: "figure", of: "last" },
          levels: lower(1, 10),
          size: [6, 6],
          link: { view: "alarms" },
          queries: [
            series({ columns: ['last("alarms_open") AS "open"'], from: "server" }, text("open", "ouvertes")),
            series(
              { columns: ['last("alarms_critical") AS "critical"'], from: "server" },
              text("critical", "critiques"),
            ),
          ],
        },
        {
          title: text("Health of the services", "Santé des services"),
          description: text(
            "Share of devices that answer and are in order, by service; storing is all or nothing.",
            "Part des appareils qui répondent et sont en ordre, par service ; l’enregistrement est tout ou rien.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "figure", of: "last" },
          levels: higher(0.95, 0.8),
          size: [18, 6],
          queries: [
            series({ columns: ['last("lighting_ok") AS "ok"'], from: "server" }, text("Lighting", "Éclairage")),
            series({ columns: ['last("waste_ok") AS "ok"'], from: "server" }, text("Waste", "Déchets")),
            series({ columns: ['last("traffic_ok") AS "ok"'], from: "server" }, text("Traffic", "Feux")),
            series({ columns: ['last("store_ok") AS "ok"'], from: "server" }, text("Storing", "Enregistrement")),
          ],
        },
        {
          title: text("Decisions an hour", "Décisions par heure"),
          description: text(
            "Entries of the journal: acting, on a pilot group, in the shadow, by hand.",
            "Entrées du journal : appliquées, en pilote, à blanc, à la main.",
          ),
          unit: "short",
          decimals: 0,
          view: { kind: "bars" },
          levels: NEITHER,
          size: [12, 8],
          columns: MODES,
          queries: [
            series(
              { columns: ['count("entry") AS "made"'], from: "decision", every: "1h", by: ["mode"], fill: "none" },
              "$tag_mode",
            ),
          ],
        },
        {
          title: text("Last alarms", "Dernières alarmes"),
          description: text(
            "Alarms opened in this time, newest first.",
            "Alarmes ouvertes dans ce temps, la dernière en haut.",
          ),
          unit: "string",
          view: { kind: "table" },
          levels: NEITHER,
          size: [12, 8],
          link: { view: "alarms" },
          nothing: text("No alarm: all is well", "Aucune alarme : tout va bien"),
          columns: {
            number: { title: text("Number", "Numéro") },
            severity: { title: text("Severity", "Gravité") },
            text_en: { title: text("What", "Quoi") },
            text_fr: { title: text("What", "Quoi") },
          },
          queries: [
            worded((language) => ({
              columns: ['"severity"', `"text_${language}"`, '"number"'],
              from: "alarm",
              where: [`"event" = 'opened'`],
              order: "newest first",
              limit: 50,
            })),
          ],
        },
      ],
    },
  ],
};
