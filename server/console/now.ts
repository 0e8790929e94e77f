import { h } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import type { Figure, Now } from "../api/resources.ts";
import { AlarmRow } from "./alarms.ts";
import { useCell } from "./cell.ts";
import { clockTime, number, percent, quantity, when } from "./format.ts";
import { Handle } from "./handle.ts";
import { say } from "./language.ts";
import { placeName } from "./places.ts";
import type { Route } from "./route.ts";
import { Link } from "./route.ts";
import { alarms, now, overrides, townTime, wanting } from "./state.ts";

/** The town in four sentences, each with its figure, and under them what wants a person. */
export function NowView(): ComponentChild {
  const figures = useCell(now);
  const wanted = wanting(useCell(alarms)).sort((one, other) => rank(one.severity) - rank(other.severity));
  const byHand = useCell(overrides);
  // What is grave is said before the services; what can wait, after them.
  const worst = wanted.filter((alarm) => alarm.severity !== "minor").slice(0, 2);
  const others = wanted.filter((alarm) => !worst.includes(alarm));
  if (figures === undefined) return null;
  return h(
    "div",
    null,
    h(
      "div",
      { class: "head" },
      h("h1", null, headline(figures, wanted.length)),
      h("span", { class: "quiet small" }, clockTime(figures.at)),
    ),
    worst.length > 0 &&
      h(
        "ul",
        { class: "rows wanted first" },
        worst.map((alarm) => h("li", { key: alarm.id }, h(AlarmRow, { alarm }))),
      ),
    h("h2", { class: "apart" }, say("now.services")),
    figures.state === "ready" &&
      h("ul", { class: "sentences" }, lighting(figures), waste(figures), traffic(figures), health(figures)),
    others.length > 0 && h("h2", null, say(worst.length > 0 ? "now.also" : "now.wants")),
    h(
      "ul",
      { class: "rows wanted" },
      others.slice(0, SHOWN).map((alarm) => h("li", { key: alarm.id }, h(AlarmRow, { alarm }))),
    ),
    others.length > SHOWN &&
      h(
        "p",
        { class: "buttons" },
        h(Link, { to: { view: "alarms" }, class: "button" }, say("now.all-alarms", { n: wanted.length })),
      ),
    byHand.length > 0 &&
      h(
        "section",
        null,
        h("h2", null, say("now.by-hand")),
        byHand.map((override) => h(Handle, { key: override.id, override })),
      ),
  );
}

function headline({ waitsFor }: Now, wanted: number): string {
  if (waitsFor !== undefined) return say("now.waits");
  return wanted === 0 ? say("now.calm") : say("now.wanted", { n: wanted });
}

/** Alarms shown under the services; all are one step away. */
const SHOWN = 4;

const rank = (severity: string): number => ["critical", "major", "minor"].indexOf(severity);

function lighting({ lighting: light }: Now): ComponentChild {
  const share = light.energyShare_percent.figure;
  return sentence("lighting", light.power_W, { view: "list" }, [
    say("now.lighting.lit", { lit: whole(light.lampsLit), lamps: number(light.lamps) }),
    light.peopleLit.figure !== null &&
      light.peopleLit.figure > 0 &&
      say("now.lighting.people", { n: light.peopleLit.figure }),
    share !== null &&
      say("now.lighting.share", {
        share: percent(share / 100),
        energy: figureText(light.energy_kWh),
        full: figureText(light.fullNight_kWh),
      }),
    light.failed.figure !== null && light.failed.figure > 0 && say("now.lighting.failed", { n: light.failed.figure }),
  ]);
}

function waste({ waste: bins, at }: Now): ComponentChild {
  const to: Route = bins.nextRound === null ? { view: "rounds" } : { view: "rounds", id: bins.nextRound.id };
  return sentence(
    "waste",
    bins.over80,
    to,
    [
      bins.nextRound === null
        ? say("now.waste.no-round")
        : say("now.waste.next", { time: when(bins.nextRound.at, at), n: bins.nextRound.stops }),
      bins.fullest !== null &&
        say("now.waste.fullest", { container: placeName(bins.fullest.id), fill: percent(bins.fullest.fill) }),
    ],
    say("now.waste.figure", { n: bins.over80.figure ?? 0, containers: number(bins.containers) }),
  );
}

function traffic({ traffic: roads }: Now): ComponentChild {
  const where = roads.longestWaitAt;
  return sentence(
    "traffic",
    roads.longestWait_s,
    where === null ? { view: "junctions" } : { view: "junctions", id: where },
    [
      where !== null && say("now.traffic.where", { junction: placeName(where) }),
      roads.queued.figure !== null && say("now.traffic.queued", { n: Math.round(roads.queued.figure) }),
      roads.vehiclesToday.figure !== null &&
        say("now.traffic.today", { n: Math.round(roads.vehiclesToday.figure), vehicles: whole(roads.vehiclesToday) }),
      roads.degraded.figure !== null &&
        roads.degraded.figure > 0 &&
        say("now.traffic.degraded", { n: roads.degraded.figure }),
    ],
    roads.longestWait_s.figure === null
      ? undefined
      : say("now.traffic.figure", { wait: figureText(roads.longestWait_s) }),
  );
}

function health({ health: fleet }: Now): ComponentChild {
  const silent = fleet.stationsSilent.figure ?? 0;
  return sentence(
    "health",
    fleet.stationsLive,
    { view: "devices" },
    [
      silent > 0 ? say("now.health.silent", { n: silent }) : say("now.health.all"),
      fleet.readingsStored.figure !== null && say("now.health.stored", { readings: whole(fleet.readingsStored) }),
      fleet.quarantined.figure !== null &&
        fleet.quarantined.figure > 0 &&
        say("now.health.quarantined", { n: fleet.quarantined.figure }),
    ],
    say("now.health.figure", { live: whole(fleet.stationsLive), stations: number(fleet.stations) }),
  );
}

function sentence(
  service: "lighting" | "waste" | "traffic" | "health",
  figure: Figure,
  to: Route,
  told: readonly (string | false)[],
  text?: string,
): ComponentChild {
  return h(
    "li",
    { class: service, key: service },
    h("p", { class: "name" }, h("span", null, say(`service.${service}`)), h("span", null, ageOf(figure))),
    h("p", { class: "figure" }, h(Link, { to, class: "plain" }, text ?? figureText(figure)), trend(figure)),
    h("p", null, told.filter((each) => each !== false).join(" ")),
  );
}

/** The time of a figure, when it is not of this minute. */
const ageOf = (figure: Figure): string =>
  figure.at === null || townTime() - figure.at < 120_000 ? "" : when(figure.at, townTime());

function trend(figure: Figure): ComponentChildren {
  if (figure.trend === null || figure.figure === null) return null;
  const noticeable =
    Math.abs(figure.trend) >= Math.max(0.005 * Math.abs(figure.figure), figure.unit === "1" ? 1 : 0.05);
  if (!noticeable) return h("span", { class: "trend" }, say("now.trend.same"));
  const change = `${figure.trend > 0 ? "+" : "−"}${quantity(Math.abs(figure.trend), figure.unit)}`;
  return h("span", { class: "trend" }, say("now.trend", { change }));
}

const figureText = (figure: Figure): string => (figure.figure === null ? "—" : quantity(figure.figure, figure.unit));
const whole = (figure: Figure): string => (figure.figure === null ? "—" : number(figure.figure));
