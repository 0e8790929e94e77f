import type { Dashboard } from "./build-dashboard.ts";
import { text } from "./language.ts";
import { higher, lower, NEITHER } from "./panel.ts";
import { growth, rolled, series, table } from "./query.ts";

const place = ["zone", "street"] as const;
const lamps = ["zone", "street", "device"] as const;
/** Quarters of an hour in a year: a rate per quarter becomes one per year. */
const QUARTERS_A_YEAR = 35_040;
const SUMMED = { from: "lighting", place, every: "$__interval", fill: "none" } as const;

/** Levels, energy against each baseline, service to people, faults. */
export const lighting: Dashboard = {
  id: "lighting",
  title: text("Lighting", "Éclairage"),
  description: text(
    "Levels on the map, energy against each baseline, EN 13201-5, passages, darkest hour, faults",
    "Niveaux sur la carte, énergie face à chaque référence, EN 13201-5, passages, heure la plus sombre, pannes",
  ),
  from: "now-24h",
  places: "lamp",
  device: text("Lamp", "Luminaire"),
  policy: true,
  rows: [
    {
      title: text("Now", "Maintenant"),
      panels: [
        {
          title: text("Levels", "Niveaux"),
          description: text(
            "The newest dimming level of each lamp. A click opens why it is so.",
            "Le dernier niveau de gradation de chaque luminaire. Un clic dit pourquoi.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "map", value: "level" },
          levels: NEITHER,
          size: [14, 13],
          link: { why: "device" },
          queries: [
            table({ columns: ['last("level") AS "level"'], from: "lamp", place: lamps, by: ["device", "street"] }),
          ],
        },
        {
          title: text("Alight and failed", "Allumés et en panne"),
          description: text(
            "Lamps alight and lamps that report a failure, over time.",
            "Luminaires allumés et luminaires en panne, dans le temps.",
          ),
          unit: "short",
          decimals: 0,
          interval: "15m",
          view: { kind: "lines" },
          levels: NEITHER,
          size: [10, 7],
          queries: [
            series({ ...SUMMED, every: "15m", columns: ['sum("lit") AS "lit"'] }, text("alight", "allumés")),
            series({ ...SUMMED, every: "15m", columns: ['sum("failed") AS "failed"'] }, text("failed", "en panne")),
          ],
        },
        {
          title: text("Faults", "Pannes"),
          description: text(
            "Lamps whose newest word is that they fail.",
            "Luminaires dont la dernière parole est qu’ils sont en panne.",
          ),
          unit: "string",
          view: { kind: "table" },
          levels: NEITHER,
          size: [10, 6],
          link: { why: "device" },
          nothing: text("No lamp fails", "Aucun luminaire en panne"),
          queries: [
            table({
              columns: ['"failed"'],
              from: {
                columns: ['last("failed") AS "failed"'],
                from: "lamp",
                place: lamps,
                by: ["device", "street"],
              },
              where: ['"failed" = 1'],
              by: ["device", "street"],
            }),
          ],
        },
      ],
    },
    {
      title: text("Energy", "Énergie"),
      panels: [
        {
          title: text("Energy against each baseline", "Énergie face à chaque référence"),
          description: text(
            "What the lamps counted, beside full output, half output from 23:00 to 05:00, and the class all night.",
            "Ce que les luminaires ont compté, à côté de la pleine puissance, de la demi-nuit de 23 h à 5 h et de la classe toute la nuit.",
          ),
          unit: "kwatth",
          interval: "15m",
          view: { kind: "lines" },
          levels: NEITHER,
          size: [16, 9],
          queries: [
            series({ ...SUMMED, columns: ['sum("energy_kWh") AS "used"'] }, text("used", "consommée")),
            series(
              { ...SUMMED, columns: ['sum("class_kWh") AS "class"'] },
              text("class all night", "classe toute la nuit"),
            ),
            series({ ...SUMMED, columns: ['sum("half_night_kWh") AS "half"'] }, text("half night", "demi-nuit")),
            series({ ...SUMMED, columns: ['sum("full_kWh") AS "full"'] }, text("full output", "pleine puissance")),
          ],
        },
        {
          title: text("Share of each baseline", "Part de chaque référence"),
          description: text(
            "Energy used over what each baseline would have used, in this time.",
            "Énergie consommée sur celle de chaque référence, dans ce temps.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "ranking", of: "last" },
          levels: lower(0.6, 1),
          size: [8, 9],
          queries: [
            series(
              { columns: ['sum("energy_kWh") / sum("full_kWh") AS "share"'], from: "lighting", place },
              text("of full output", "de la pleine puissance"),
            ),
            series(
              { columns: ['sum("energy_kWh") / sum("half_night_kWh") AS "share"'], from: "lighting", place },
              text("of the half night", "de la demi-nuit"),
            ),
            series(
              { columns: ['sum("energy_kWh") / sum("class_kWh") AS "share"'], from: "lighting", place },
              text("of the class all night", "de la classe toute la nuit"),
            ),
          ],
        },
        {
          title: text("Power density, EN 13201-5 (Dₚ)", "Densité de puissance, EN 13201-5 (Dₚ)"),
          description: text(
            "Power over design illuminance times area, while lamps are alight. Area: length by the usual width of the class of road.",
            "Puissance sur éclairement de calcul par la surface, lampes allumées. Surface : longueur par la largeur usuelle du type de voie.",
          ),
          unit: "suffix: W/(lx·m²)",
          decimals: 4,
          view: { kind: "figure", of: "last" },
          levels: lower(0.02, 0.04),
          size: [6, 6],
          queries: [
            series(
              {
                columns: ['sum("power_W") / sum("flux_lx_m2") AS "density"'],
                from: "lighting",
                place,
                where: ['"lit" > 0'],
              },
              "Dₚ",
            ),
          ],
        },
        {
          title: text("Energy consumption, EN 13201-5 (Dᴇ)", "Consommation, EN 13201-5 (Dᴇ)"),
          description: text(
            "Energy over lit area, as if the year went on like this time.",
            "Énergie sur surface éclairée, comme si l’année continuait comme ce temps.",
          ),
          unit: "suffix: kWh/(m²·a)",
          decimals: 2,
          view: { kind: "figure", of: "last" },
          levels: lower(1, 2),
          size: [6, 6],
          queries: [
            series(
              {
                columns: [`sum("energy_kWh") / sum("area_m2") * ${QUARTERS_A_YEAR} AS "density"`],
                from: "lighting",
                place,
              },
              "Dᴇ",
            ),
          ],
        },
        {
          title: text("Counted by the lamps, by street", "Compté par les luminaires, par rue"),
          description: text(
            "How much the energy counters of the chosen lamps grew.",
            "De combien les compteurs d’énergie des luminaires choisis ont avancé.",
          ),
          unit: "kwatth",
          interval: "15m",
          view: { kind: "bars" },
          levels: NEITHER,
          size: [12, 6],
          queries: [
            series(growth("lamp", "energy_kWh", { place: lamps, every: "$__interval", by: ["street"] }), "$tag_street"),
          ],
        },
      ],
    },
    {
      title: text("Service", "Service"),
      panels: [
        {
          title: text("Passages", "Passages"),
          description: text(
            "Passages that the presence sensors counted, by the hour.",
            "Passages comptés par les détecteurs de présence, par heure.",
          ),
          unit: "short",
          decimals: 0,
          min: 0,
          view: { kind: "bars" },
          levels: NEITHER,
          size: [10, 8],
          queries: [
            series({ ...SUMMED, every: "1h", columns: ['sum("passes") AS "passes"'] }, text("passages", "passages")),
          ],
        },
        {
          title: text("Darkest hour", "Heure la plus sombre"),
          description: text(
            "Mean level of the lamps alight in the hour in which it was the lowest: a mean over the night would hide it.",
            "Niveau moyen des luminaires allumés dans l’heure où il fut le plus bas : une moyenne sur la nuit le cacherait.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          view: { kind: "figure", of: "last" },
          levels: higher(0.2, 0.1),
          size: [4, 8],
          queries: [
            series(
              {
                columns: ['min("level") AS "level"'],
                from: {
                  columns: ['sum("lit_level") / sum("lit") AS "level"'],
                  from: "lighting",
                  place,
                  where: ['"lit" > 0'],
                  every: "1h",
                  fill: "none",
                },
              },
              text("darkest hour", "heure la plus sombre"),
            ),
          ],
        },
        {
          title: text("Mean level by street", "Niveau moyen par rue"),
          description: text(
            "Mean of the reported dimming levels of the chosen lamps.",
            "Moyenne des niveaux de gradation dits par les luminaires choisis.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          interval: "15m",
          view: { kind: "lines" },
          levels: NEITHER,
          size: [10, 8],
          queries: [
            series(
              {
                columns: [rolled("mean", "level")],
                from: "lamp",
                policy: "chosen",
                place: lamps,
                every: "$__interval",
                by: ["street"],
                fill: "none",
              },
              "$tag_street",
            ),
          ],
        },
        {
          title: text("Burning hours", "Heures de fonctionnement"),
          description: text(
            "Hours that each lamp has burnt since it was put in; a driver is good for about 100,000.",
            "Heures de fonctionnement de chaque luminaire depuis sa pose ; une alimentation en tient environ 100 000.",
          ),
          unit: "h",
          decimals: 0,
          view: { kind: "table", sort: "burning_h" },
          levels: lower(80_000, 100_000),
          size: [24, 8],
          link: { why: "device" },
          columns: {
            Time: { hidden: true },
            burning_h: { title: text("Burnt", "Fonctionnement"), levels: lower(80_000, 100_000) },
          },
          queries: [
            table({
              columns: ['last("burning_h") AS "burning_h"'],
              from: "lamp",
              place: lamps,
              by: ["device", "street"],
            }),
          ],
        },
      ],
    },
  ],
};
