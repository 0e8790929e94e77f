import { h } from "preact";
import type { ComponentChild } from "preact";
import type { RoundDetail, Town } from "../api/resources.ts";
import { clockTime, day, duration, percent } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import { called } from "./places.ts";
import { drawn, useResource } from "./resource.ts";
import { Link } from "./route.ts";
import { numberOf } from "./rounds.ts";
import { spread } from "./spread.ts";

const WIDTH = 720;
/** Radius of a number on the map, and how far two of them stand apart, from middle to middle. */
const NUMBER = 10;
const APART = 2 * NUMBER + 4;

/** One page a vehicle: a map, big numbers, and room for a pen. */
export function RoundSheet(props: { readonly id: string; readonly town: Town }): ComponentChild {
  const round = useResource<RoundDetail>(`/rounds/${encodeURIComponent(props.id)}`);
  return h(
    "main",
    { class: "sheet", id: "content" },
    h(
      "div",
      { class: "buttons screen-only" },
      h(
        "button",
        { type: "button", class: "button main", "data-key": "print", onClick: () => print() },
        say("rounds.print"),
      ),
      h(Link, { to: { view: "rounds", id: props.id }, class: "button" }, say("page.back")),
    ),
    drawn(round, (given) =>
      h(
        "article",
        null,
        h(
          "header",
          { class: "head" },
          h("h1", null, given.vehicle),
          h("p", null, day(given.departure)),
          h("p", null, props.town.name),
        ),
        h(
          "p",
          { class: "lead" },
          [
            `${clockTime(given.departure)}–${clockTime(given.end)}`,
            say("rounds.stops", { n: given.stops }),
            duration(given.duration_s),
          ]
            .filter(Boolean)
            .join(" · "),
        ),
        h(SheetMap, { round: given, town: props.town }),
        h(
          "table",
          null,
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              [
                say("sheet.number"),
                say("sheet.time"),
                say("sheet.place"),
                say("sheet.expected"),
                say("sheet.done"),
                say("sheet.remark"),
              ].map((each) => h("th", { scope: "col", key: each }, each)),
            ),
          ),
          h(
            "tbody",
            null,
            given.sites.map((site) =>
              h(
                "tr",
                { key: site.index },
                h("td", { class: "big" }, site.what === "container" ? numberOf(given, site.index) : "—"),
                h("td", null, clockTime(site.eta)),
                h(
                  "td",
                  null,
                  site.what === "container"
                    ? h(
                        "span",
                        null,
                        h("b", null, site.streetName ?? site.site),
                        h("br", null),
                        [site.site, site.stream === null ? "" : sayNamed("stream", site.stream)]
                          .filter(Boolean)
                          .join(" · "),
                      )
                    : called(site.site),
                ),
                h("td", null, site.q50 === null ? "" : percent(site.q50)),
                h("td", { class: "box" }, site.what === "container" ? "☐" : ""),
                h("td", { class: "pen" }, ""),
              ),
            ),
          ),
        ),
        h("p", { class: "small" }, say("sheet.sign")),
      ),
    ),
  );
}

/** The way over the streets, drawn in plain lines so that any printer can. */
function SheetMap(props: { readonly round: RoundDetail; readonly town: Town }): ComponentChild {
  const { round, town } = props;
  const positions = [...round.path.coordinates, ...round.sites.map((site) => site.position)];
  const lons = positions.map(([lon]) => lon);
  const lats = positions.map(([, lat]) => lat);
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  // Degrees of longitude are shorter than those of latitude by the cosine of the latitude.
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const margin = 24;
  const scale = Math.min(
    (WIDTH - 2 * margin) / Math.max(1e-6, (east - west) * squeeze),
    340 / Math.max(1e-6, north - south),
  );
  const width = (east - west) * squeeze * scale + 2 * margin;
  const height = (north - south) * scale + 2 * margin;
  const spot = ([lon, lat]: readonly [number, number]) => ({
    x: margin + (lon - west) * squeeze * scale,
    y: margin + (north - lat) * scale,
  });
  const at = (position: readonly [number, number]): string => {
    const { x, y } = spot(position);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const stops = round.sites.filter((site) => site.what === "container");
  const numbers = spread(
    stops.map((site) => spot(site.position)),
    APART,
  );
  const streets = town.geojson.features.filter((feature) => feature.properties["kind"] === "street");
  return h(
    "svg",
    {
      viewBox: `0 0 ${width.toFixed(0)} ${height.toFixed(0)}`,
      role: "img",
      "aria-label": say("sheet.map", { n: round.stops }),
    },
    streets.map((street, index) =>
      h("polyline", {
        key: index,
        class: "street",
        points: (street.geometry.coordinates as [number, number][]).map(at).join(" "),
      }),
    ),
    h("polyline", { class: "way", points: round.path.coordinates.map(at).join(" ") }),
    stops.map((site, index) => {
      const home = spot(site.position);
      const { x, y } = numbers[index] ?? home;
      return h(
        "g",
        { key: site.index },
        h("line", { class: "leader", x1: home.x, y1: home.y, x2: x, y2: y }),
        h("circle", { cx: x, cy: y, r: NUMBER }),
        h("text", { x, y: y + 4 }, numberOf(round, site.index)),
      );
    }),
  );
}
