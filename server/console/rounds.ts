import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import type { Round, RoundDetail } from "../api/resources.ts";
import { read } from "./api.ts";
import { useCell } from "./cell.ts";
import { clockTime, day, duration, localDay, percent } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import { called, streetName } from "./places.ts";
import { drawn, useResource } from "./resource.ts";
import { ask, here, Link } from "./route.ts";
import { noticeSilence, stirred, townTime, ways } from "./state.ts";

/** Today's rounds, on the map and as sheets. */
export function RoundsView(): ComponentChild {
  const route = useCell(here);
  return route.id === undefined ? h(RoundsOfDay, null) : h(RoundWhole, { id: route.id, key: route.id });
}

function RoundsOfDay(): ComponentChild {
  const stir = useCell(stirred);
  const today = localDay(townTime());
  const rounds = useResource<{ entries: Round[] }>(`/rounds?day=${today}`, stir.everything, 60);
  const ids = rounds.value?.entries.map((round) => round.id).join(" ") ?? "";
  useEffect(() => {
    if (ids === "") return undefined;
    Promise.all(ids.split(" ").map((id) => read<RoundDetail>(`/rounds/${encodeURIComponent(id)}`))).then(
      (all) => ways.set(all),
      noticeSilence,
    );
    return () => ways.set([]);
  }, [ids]);
  return h(
    "div",
    { class: "waste" },
    h(
      "div",
      { class: "head" },
      h("h1", null, say("view.rounds")),
      h("span", { class: "quiet small" }, day(townTime())),
    ),
    drawn(rounds, ({ entries }) =>
      entries.length === 0
        ? h("p", { class: "empty" }, say("rounds.none"))
        : h(
            "ul",
            { class: "rows" },
            entries.map((round) =>
              h(
                "li",
                { key: round.id },
                h(
                  Link,
                  { to: { view: "rounds", id: round.id }, class: "row" },
                  h("span", { class: "title" }, say("rounds.vehicle", { vehicle: round.vehicle })),
                  h("span", { class: "side" }, h("span", { class: "tag hue" }, say(`rounds.${round.state}`))),
                  h("span", { class: "under" }, facts(round).join(" · ")),
                  h("span", { class: "under" }, bar(round.served / Math.max(1, round.stops))),
                ),
              ),
            ),
          ),
    ),
  );
}

const facts = (round: Round): string[] => [
  `${clockTime(round.departure)}–${clockTime(round.end)}`,
  say("rounds.stops", { n: round.stops }),
  say("rounds.served", { n: round.served }),
  say("rounds.takes", { duration: duration(round.duration_s), driving: duration(round.driving_s) }),
];

/** A bar to a share; the number stands beside it in words. */
export function bar(share: number, until?: number): ComponentChild {
  return h(
    "span",
    { class: "bar-of", "aria-hidden": "true" },
    until !== undefined && h("i", { class: "band", style: { "--share": Math.min(1, until) } }),
    h("i", { style: { "--share": Math.min(1, share) } }),
  );
}

function RoundWhole(props: { readonly id: string }): ComponentChild {
  const round = useResource<RoundDetail>(`/rounds/${encodeURIComponent(props.id)}`, 0, 30);
  const { value } = round;
  useEffect(() => {
    if (value === undefined) return undefined;
    ways.set([value]);
    return () => ways.set([]);
  }, [value]);
  return h(
    "div",
    { class: "waste" },
    h(Link, { to: { view: "rounds" }, class: "button bare back" }, `← ${say("view.rounds")}`),
    drawn(round, (given) => {
      const containers = given.sites.filter((site) => site.what === "container").length;
      return h(
        "div",
        null,
        h(
          "div",
          { class: "head" },
          h("h1", null, say("rounds.vehicle", { vehicle: given.vehicle })),
          h(Link, { to: { view: "rounds", id: given.id, part: "print" }, class: "button" }, say("rounds.print")),
        ),
        h("p", null, facts(given).join(" · ")),
        h(
          "p",
          { class: "small quiet" },
          h(Link, { to: { view: "decisions", id: given.decision } }, say("why.decision")),
        ),
        h("h2", null, say("rounds.sheet", { n: containers })),
        h(
          "ol",
          { class: "rows" },
          given.sites.map((site) =>
            h("li", { key: site.index }, h(Stop, { site, number: numberOf(given, site.index) })),
          ),
        ),
        given.skipped.length > 0 && h("h2", null, say("rounds.skipped", { n: given.skipped.length })),
        given.skipped.length > 0 &&
          h(
            "ul",
            { class: "rows" },
            given.skipped.map((each) =>
              h(
                "li",
                { key: each.container },
                h(
                  "button",
                  { type: "button", class: "row", onClick: () => ask(each.container) },
                  h("span", { class: "title" }, [each.container, streetName(each.street)].filter(Boolean).join(" · ")),
                  h(
                    "span",
                    { class: "side" },
                    each.q90 === null ? "—" : say("rounds.at-most", { fill: percent(each.q90) }),
                  ),
                  h("span", { class: "under" }, sayNamed("short", each.because)),
                ),
              ),
            ),
          ),
      );
    }),
  );
}

/** The place of a container among the containers of its round: what the driver counts. */
export const numberOf = (round: RoundDetail, index: number): number =>
  round.sites.filter((site) => site.what === "container" && site.index <= index).length;

function Stop(props: { readonly site: RoundDetail["sites"][number]; readonly number: number }): ComponentChild {
  const { site } = props;
  const isContainer = site.what === "container";
  return h(
    "button",
    { type: "button", class: `row ${site.served ? "served" : ""}`, onClick: () => ask(site.site) },
    h("span", { class: "title" }, isContainer ? `${props.number}. ${site.streetName ?? site.site}` : called(site.site)),
    h("span", { class: "side" }, clockTime(site.eta)),
    isContainer &&
      h(
        "span",
        { class: "under" },
        [
          site.site,
          site.stream === null ? "" : sayNamed("stream", site.stream),
          site.q50 === null ? "" : say("rounds.band", { half: percent(site.q50), most: percent(site.q90 ?? site.q50) }),
          site.served ? say("rounds.is-served") : "",
        ]
          .filter(Boolean)
          .join(" · "),
      ),
    isContainer && site.q50 !== null && h("span", { class: "under" }, bar(site.q50, site.q90 ?? site.q50)),
    isContainer && site.because !== null && h("span", { class: "under" }, sayNamed("short", site.because)),
  );
}
