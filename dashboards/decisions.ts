import type { Dashboard } from "./build-dashboard.ts";
import { text } from "./language.ts";
import { MODES, NEITHER } from "./panel.ts";
import { series, table, worded } from "./query.ts";

const FRAMES = `"name" = 'traffic.frame'`;

/** What the machine decided and why, what people overruled, and what a shadow would have done. */
export const decisions: Dashboard = {
  id: "decisions",
  title: text("Decisions", "Décisions"),
  description: text(
    "By rule and mode, overrides, shadow against reality",
    "Par règle et mode, dérogations, essai à blanc face à la réalité",
  ),
  from: "now-24h",
  rows: [
    {
      title: text("The machine", "La machine"),
      panels: [
        {
          title: text("By rule", "Par règle"),
          description: text(
            "Decisions an hour by the rule that decided.",
            "Décisions par heure selon la règle qui a décidé.",
          ),
          unit: "short",
          decimals: 0,
          view: { kind: "bars" },
          levels: NEITHER,
          size: [12, 9],
          queries: [
            series(
              { columns: ['count("entry") AS "made"'], from: "decision", every: "1h", by: ["rule"], fill: "none" },
              "$tag_rule",
            ),
          ],
        },
        {
          title: text("By service and mode", "Par service et mode"),
          description: text(
            "Decisions in this time: acting everywhere, on a pilot group, in the shadow, by hand.",
            "Décisions dans ce temps : partout, en pilote, à blanc, à la main.",
          ),
          unit: "short",
          decimals: 0,
          view: { kind: "ranking", of: "last" },
          levels: NEITHER,
          size: [12, 9],
          queries: [
            series(
              { columns: ['count("entry") AS "made"'], from: "decision", by: ["name", "mode"] },
              "$tag_name, $tag_mode",
            ),
          ],
        },
        {
          title: text("Shadow against reality", "À blanc face à la réalité"),
          description: text(
            "Delay of a vehicle as frames foresaw it, by the mode they were made in, beside the delay that the junctions had.",
            "Retard d’un véhicule tel que les cadres le prévoyaient, selon leur mode, à côté de celui des carrefours.",
          ),
          unit: "s",
          decimals: 1,
          min: 0,
          interval: "15m",
          view: { kind: "lines" },
          levels: NEITHER,
          size: [12, 9],
          queries: [
            series(
              {
                columns: ['mean("cost") AS "foreseen"'],
                from: "decision",
                where: [FRAMES],
                every: "$__interval",
                by: ["mode"],
                fill: "none",
              },
              text("foreseen, $tag_mode", "prévu, $tag_mode"),
            ),
            series(
              { columns: ['mean("delay_s") AS "had"'], from: "junction", every: "$__interval", fill: "none" },
              text("had", "réel"),
            ),
          ],
        },
        {
          title: text("Gain over what was refused", "Gain sur ce qui est refusé"),
          description: text(
            "Delay that the best refused frame would have cost, less that of the frame chosen.",
            "Retard qu’aurait coûté le meilleur cadre refusé, moins celui du cadre choisi.",
          ),
          unit: "s",
          decimals: 1,
          interval: "15m",
          view: { kind: "lines" },
          levels: NEITHER,
          size: [12, 9],
          columns: MODES,
          queries: [
            series(
              {
                columns: ['mean("refused_cost") - mean("cost") AS "gain"'],
                from: "decision",
                where: [FRAMES],
                every: "$__interval",
                by: ["mode"],
                fill: "none",
              },
              "$tag_mode",
            ),
          ],
        },
        {
          title: text("Newest decisions", "Dernières décisions"),
          description: text(
            "A click opens the decision with its evidence and what was refused.",
            "Un clic ouvre la décision, ses faits et ce qui est refusé.",
          ),
          unit: "string",
          view: { kind: "table" },
          levels: NEITHER,
          size: [24, 10],
          link: { decision: "entry" },
          columns: {
            entry: { title: text("Entry", "Entrée"), unit: "none" },
            name: { title: text("Function", "Fonction") },
            subject: { title: text("About", "Sujet") },
            rule: { title: text("Rule", "Règle") },
            text_en: { title: text("What", "Quoi") },
            text_fr: { title: text("What", "Quoi") },
          },
          queries: [
            worded((language) => ({
              columns: ['"entry"', '"name"', '"subject"', '"mode"', '"rule"', `"text_${language}"`],
              from: "decision",
              order: "newest first",
              limit: 100,
            })),
          ],
        },
      ],
    },
    {
      title: text("People", "Les gens"),
      panels: [
        {
          title: text("Overrides that hold", "Dérogations en cours"),
          description: text("How many hands are on the town.", "Combien de mains sont sur la ville."),
          unit: "short",
          decimals: 0,
          min: 0,
          interval: "1m",
          view: { kind: "lines" },
          levels: NEITHER,
          size: [10, 8],
          queries: [
            series(
              { columns: ['max("overrides") AS "held"'], from: "server", every: "$__interval", fill: "none" },
              text("held", "en cours"),
            ),
          ],
        },
        {
          title: text("Overrides", "Dérogations"),
          description: text(
            "Who took over or gave back, what, and why.",
            "Qui a pris ou rendu la main, sur quoi et pourquoi.",
          ),
          unit: "string",
          view: { kind: "table" },
          levels: NEITHER,
          size: [14, 8],
          nothing: text("Nobody overruled the machine", "Personne n’a repris la main"),
          columns: {
            id: { title: text("On", "Sur") },
            state: { title: text("State", "État") },
            author: { title: text("Who", "Qui") },
            reason: { title: text("Why", "Pourquoi") },
            devices: { title: text("Devices", "Appareils"), unit: "none" },
          },
          queries: [
            table({
              columns: ['"id"', '"state"', '"author"', '"reason"', '"devices"'],
              from: "override",
              order: "newest first",
              limit: 100,
            }),
          ],
        },
      ],
    },
  ],
};
