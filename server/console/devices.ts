import { h } from "preact";
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Fleet, Page, QuarantineEntry, StationHealth } from "../api/resources.ts";
import { query } from "./api.ts";
import { useCell } from "./cell.ts";
import { age, dayTime, number } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import { drawn, useResource } from "./resource.ts";
import { ask } from "./route.ts";
import { places } from "./places.ts";
import { stirred, townTime } from "./state.ts";

/** The stations that hold it all together: who lives, who is silent, what waits, and what was put aside as wrong. */
export function DevicesView(): ComponentChild {
  const stir = useCell(stirred);
  const [search, look] = useState("");
  const fleet = useResource<Fleet>(query("/fleet", { limit: 500 }), stir.everything, 20);
  const aside = useResource<Page<QuarantineEntry>>("/quarantine?limit=50", stir.everything, 30);
  return h(
    "div",
    null,
    h("div", { class: "head" }, h("h1", null, say("view.devices"))),
    drawn(fleet, (given) => {
      const wanted = search.trim().toLowerCase();
      const shown = given.entries
        .filter(
          (station) =>
            wanted === "" ||
            station.station.toLowerCase().includes(wanted) ||
            station.kinds.some((kind) => sayNamed("kind", kind).toLowerCase().includes(wanted)),
        )
        .sort((one, other) => Number(one.online) - Number(other.online) || (other.waiting ?? 0) - (one.waiting ?? 0));
      return h(
        "div",
        null,
        h(
          "dl",
          { class: "facts" },
          totals(given).flatMap(([label, text]) => [h("dt", null, label), h("dd", null, text)]),
        ),
        h(
          "label",
          { class: "field" },
          h("span", null, say("devices.search")),
          h("input", {
            class: "input",
            type: "search",
            "data-key": "search",
            value: search,
            onInput: (event: Event) => look((event.target as HTMLInputElement).value),
          }),
        ),
        h("h2", null, say("devices.stations", { n: shown.length })),
        shown.length === 0 && h("p", { class: "empty" }, say("page.nothing-found")),
        h(
          "ul",
          { class: "rows" },
          shown.slice(0, 60).map((station) => h("li", { key: station.station }, h(StationRow, { station }))),
        ),
        shown.length > 60 && h("p", { class: "quiet small spaced" }, say("devices.more", { n: shown.length - 60 })),
      );
    }),
    h("h2", null, say("quarantine.title")),
    h("p", { class: "quiet small" }, say("quarantine.what")),
    drawn(aside, ({ entries }) =>
      entries.length === 0
        ? h("p", { class: "empty" }, say("quarantine.none"))
        : h(
            "ul",
            { class: "rows" },
            entries.map((entry) => h("li", { key: `${entry.at}${entry.station}${entry.reason}` }, h(Aside, { entry }))),
          ),
    ),
  );
}

function totals({ totals: all }: Fleet): readonly (readonly [string, string])[] {
  return [
    [say("devices.live"), `${number(all.live)} / ${number(all.stations)}`],
    [say("devices.waiting"), number(all.waiting)],
    [say("devices.dropped"), number(all.dropped)],
    ...(all.readingsStored === null ? [] : [[say("devices.stored"), number(all.readingsStored)] as const]),
    ...(all.storeSize_B === null
      ? []
      : [[say("devices.size"), `${number(all.storeSize_B / 1e6, 1)}\u00a0MB`] as const]),
  ];
}

function StationRow(props: { readonly station: StationHealth }): ComponentChild {
  const { station } = props;
  const first = [...places().values()].find((place) => place.station === station.station);
  const clock =
    station.clockError_s !== null && Math.abs(station.clockError_s) >= 2
      ? say("devices.clock", { error: number(station.clockError_s, 1) })
      : "";
  return h(
    "button",
    {
      type: "button",
      class: `row ${station.online ? "" : "wanted"}`,
      onClick: () => first !== undefined && ask(first.id),
    },
    h(
      "span",
      { class: "title" },
      h("span", { class: `dot ${station.online ? "traffic" : "ring wanted"}` }),
      " ",
      station.station,
    ),
    h(
      "span",
      { class: "side quiet" },
      station.lastSeen === null ? say("devices.never") : age(station.lastSeen, townTime()),
    ),
    h(
      "span",
      { class: "under" },
      [
        say(station.online ? "twin.online" : "twin.offline"),
        station.kinds.map((kind) => sayNamed("kind", kind)).join(", "),
        clock,
        station.waiting ? say("devices.waits", { n: station.waiting }) : "",
        station.dropped ? say("devices.lost", { n: station.dropped }) : "",
      ]
        .filter(Boolean)
        .join(" · "),
    ),
  );
}

function Aside(props: { readonly entry: QuarantineEntry }): ComponentChild {
  const { entry } = props;
  return h(
    "details",
    { class: "aside" },
    h("summary", null, h("span", null, `${entry.station} · ${entry.reason}`)),
    h("p", { class: "quiet small" }, `${dayTime(entry.at)} · ${entry.code}`),
    h("pre", { class: "raw", tabIndex: 0 }, entry.text ?? entry.payload_base64),
  );
}
