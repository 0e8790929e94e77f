import type { Dashboard } from "./build-dashboard.ts";
import { text } from "./language.ts";
import { higher, lower, NEITHER } from "./panel.ts";
import { growth, rolled, series, table } from "./query.ts";

const place = ["device"] as const;
/** Loops and cameras name the junction that they belong to. */
const OF_JUNCTION = ['"junction" =~ /^$device$/'];

/** Automated traffic signal performance measures (FHWA-HOP-20-002), from what the cabinets report. */
export const traffic: Dashboard = {
  id: "traffic",
  title: text("Traffic signals", "Feux de circulation"),
  description: text(
    "ATSPM: how greens end, splits, coordination, arrivals, delay, volume, waits, fallback",
    "ATSPM : fin des verts, durées, coordination, arrivées, retard, débit, attentes, replis",
  ),
  from: "now-24h",
  places: "signal",
  ask: ["device"],
  device: text("Junction", "Carrefour"),
  policy: true,
  rows: [
    {
      title: text("People", "Les gens"),
      panels: [
        {
          title: text("Longest wait", "Attente la plus longue"),
          description: text(
            "The longest that someone waited, at each junction. Nobody may wait over 120 s.",
            "La plus longue attente, à chaque carrefour. Personne ne doit attendre plus de 120 s.",
          ),
          unit: "s",
          decimals: 0,
          min: 0,
          interval: "5m",
          view: { kind: "lines" },
          levels: lower(90, 120),
          size: [12, 8],
          link: { why: "device" },
          queries: [
            series(
              {
                columns: [rolled("max", "longest_wait_s")],
                from: "signal",
                policy: "chosen",
                place,
                every: "$__interval",
                by: ["device"],
                fill: "none",
              },
              "$tag_device",
            ),
          ],
        },
        {
          title: text("Approach delay", "Retard aux approches"),
          description: text(
            "Mean delay of a vehicle: mean queue times time over vehicles (Little 1961).",
            "Retard moyen d’un véhicule : file moyenne par durée sur nombre de véhicules (Little 1961).",
          ),
          unit: "s",
          decimals: 0,
          min: 0,
          interval: "15m",
          view: { kind: "lines" },
          levels: lower(35, 55),
          size: [12, 8],
          link: { why: "device" },
          queries: [
            series(
              {
                columns: ['mean("delay_s") AS "delay"'],
                from: "junction",
                place,
                every: "$__interval",
                by: ["device"],
                fill: "none",
              },
              "$tag_device",
            ),
          ],
        },
        {
          title: text("Volume", "Débit"),
          description: text(
            "Vehicles counted by the loops of each junction, by the hour.",
            "Véhicules comptés par les boucles de chaque carrefour, par heure.",
          ),
          unit: "suffix: veh/h",
          decimals: 0,
          min: 0,
          view: { kind: "lines" },
          levels: NEITHER,
          size: [12, 8],
          queries: [
            series(growth("loop", "vehicles", { where: OF_JUNCTION, every: "1h", by: ["junction"] }), "$tag_junction"),
          ],
        },
        {
          title: text("Queue", "File"),
          description: text(
            "Mean number of vehicles that wait at each junction.",
            "Nombre moyen de véhicules qui attendent à chaque carrefour.",
          ),
          unit: "short",
          decimals: 1,
          min: 0,
          interval: "5m",
          view: { kind: "lines" },
          levels: lower(20, 40),
          size: [12, 8],
          queries: [
            series(
              {
                columns: [rolled("mean", "queue")],
                from: "signal",
                policy: "chosen",
                place,
                every: "$__interval",
                by: ["device"],
                fill: "none",
              },
              "$tag_device",
            ),
          ],
        },
      ],
    },
    {
      title: text("Greens", "Les verts"),
      panels: [
        {
          title: text("Phase termination", "Fin des verts"),
          description: text(
            "Greens by how they ended: all at their longest means that the cycle is too short for the demand.",
            "Verts selon leur fin : tous au plus long signifie que le cycle est trop court pour la demande.",
          ),
          unit: "short",
          decimals: 0,
          interval: "15m",
          view: { kind: "bars" },
          levels: NEITHER,
          size: [12, 8],
          columns: {
            "gap-out": { title: text("nobody came any more", "plus personne") },
            "max-out": { title: text("at its longest", "au plus long") },
            "force-off": { title: text("by the plan or the guard", "par le plan ou la garde") },
          },
          queries: [
            series(
              {
                columns: ['count("green_s") AS "greens"'],
                from: "phase",
                place,
                every: "$__interval",
                by: ["end"],
                fill: "none",
              },
              "$tag_end",
            ),
          ],
        },
        {
          title: text("Split failures", "Verts trop courts"),
          description: text(
            "Greens after which the stop line was still occupied: over 79 % of the green and of the first 5 s of red. They were too short for their queue.",
            "Verts après lesquels la ligne d’arrêt était encore occupée : plus de 79 % du vert et des 5 premières secondes de rouge. Ils étaient trop courts pour leur file.",
          ),
          unit: "short",
          decimals: 0,
          min: 0,
          interval: "15m",
          view: { kind: "bars" },
          levels: lower(5, 20),
          size: [12, 8],
          queries: [
            series(
              {
                columns: ['sum("split_failures") AS "failures"'],
                from: "junction",
                place,
                every: "$__interval",
                by: ["device"],
                fill: "none",
              },
              "$tag_device",
            ),
          ],
        },
        {
          title: text("Split monitor", "Durées des verts"),
          description: text(
            "Green of each group: mean, what 85 % do not exceed, what the frame aimed at, and how many.",
            "Vert de chaque groupe : moyenne, ce que 85 % ne dépassent pas, visée du cadre, et nombre.",
          ),
          unit: "s",
          decimals: 1,
          view: { kind: "table" },
          levels: NEITHER,
          size: [24, 10],
          link: { why: "device" },
          columns: {
            Time: { hidden: true },
            green: { title: text("Mean", "Moyenne") },
            green_85: { title: text("85 %", "85 %") },
            target: { title: text("Aim", "Visée") },
            red: { title: text("Red before", "Rouge avant") },
            greens: { title: text("Greens", "Verts"), unit: "short" },
          },
          queries: [
            table({
              columns: [
                'mean("green_s") AS "green"',
                'percentile("green_s", 85) AS "green_85"',
                'mean("target_s") AS "target"',
                'mean("red_s") AS "red"',
                'count("green_s") AS "greens"',
              ],
              from: "phase",
              place,
              by: ["device", "group"],
            }),
          ],
        },
        {
          title: text("Coordination", "Coordination"),
          description: text(
            "Where in the frame's cycle each green begins and ends: a coordinated approach keeps its place, so choose one junction. Loops tell their counts by the minute, so single arrivals are not drawn.",
            "Où dans le cycle du cadre chaque vert commence et finit : une approche coordonnée garde sa place ; choisissez un carrefour. Les boucles disent leurs comptes à la minute : les arrivées ne sont pas dessinées une à une.",
          ),
          unit: "s",
          decimals: 0,
          min: 0,
          interval: "1m",
          view: { kind: "points" },
          levels: NEITHER,
          size: [14, 9],
          queries: [
            series(
              {
                columns: ['mean("begin_s") AS "begin"'],
                from: "phase",
                place,
                every: "$__interval",
                by: ["group"],
                fill: "none",
              },
              text("$tag_group begins", "$tag_group commence"),
            ),
            series(
              {
                columns: ['mean("end_s") AS "end"'],
                from: "phase",
                place,
                every: "$__interval",
                by: ["group"],
                fill: "none",
              },
              text("$tag_group ends", "$tag_group finit"),
            ),
          ],
        },
        {
          title: text("Arrivals on green", "Arrivées au vert"),
          description: text(
            "Share of vehicles that reached the stop line while their group was green, as the cabinet saw it: at random it is green over cycle, coordination shows above it.",
            "Part des véhicules parvenus à la ligne d’arrêt pendant le vert de leur groupe, vue par l’armoire : au hasard, c’est vert sur cycle ; la coordination se voit au-dessus.",
          ),
          unit: "percentunit",
          decimals: 0,
          min: 0,
          max: 1,
          interval: "15m",
          view: { kind: "lines" },
          levels: higher(0.5, 0.3),
          size: [10, 9],
          queries: [
            series(
              {
                columns: ['sum("arrivals_green") / (sum("arrivals_green") + sum("arrivals_red")) AS "share"'],
                from: "junction",
                place,
                every: "$__interval",
                by: ["device"],
                fill: "none",
              },
              "$tag_device",
            ),
          ],
        },
      ],
    },
    {
      title: text("Fallback", "Replis"),
      panels: [
        {
          title: text("Mode of each junction", "Mode de chaque carrefour"),
          description: text(
            "Adaptive inside its frame, its frame as it is, its fixed plan, flashing amber.",
            "Adaptatif dans son cadre, son cadre tel quel, son plan fixe, jaune clignotant.",
          ),
          unit: "short",
          interval: "5m",
          view: { kind: "states" },
          levels: lower(1, 2),
          size: [16, 7],
          link: { why: "device" },
          names: [
            text("adaptive", "adaptatif"),
            text("frame", "cadre"),
            text("fixed plan", "plan fixe"),
            text("flashing", "clignotant"),
          ],
          queries: [
            series(
              {
                columns: ['max("mode") AS "mode"'],
                from: "signal",
                place,
                every: "$__interval",
                by: ["device"],
                fill: "previous",
              },
              "$tag_device",
            ),
          ],
        },
        {
          title: text("Fallback time", "Temps de repli"),
          description: text(
            "Time in which a junction was not adaptive.",
            "Temps durant lequel un carrefour n’était pas adaptatif.",
          ),
          unit: "s",
          view: { kind: "ranking", of: "last" },
          levels: lower(900, 3600),
          size: [8, 7],
          queries: [
            series(
              { columns: ['sum("fallback_s") AS "fallback"'], from: "junction", place, by: ["device"] },
              "$tag_device",
            ),
          ],
        },
      ],
    },
  ],
};
