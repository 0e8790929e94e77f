import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import { cell, useCell } from "./cell.ts";
import { say } from "./language.ts";
import { ListView } from "./list.ts";
import { TownMap } from "./map.ts";
import { go, here } from "./route.ts";
import { town } from "./state.ts";

/** The town, as a map or as a list: two views of the same things and the same choice. */
type Pane = "map" | "list";
const pane = cell<Pane>(here.get().view === "list" ? "list" : "map");

/** On a narrow screen the town is a page of its own; on a wide one it stands beside the column. */
const narrow = matchMedia("(max-width: 760px)");

export function showTown(as: Pane): void {
  pane.set(as);
  const { view, ...rest } = here.get();
  if (narrow.matches || view === "map" || view === "list") go({ ...rest, view: as });
}

export function TownPane(): ComponentChild {
  const route = useCell(here);
  const chosen = useCell(pane);
  const of = useCell(town);
  useEffect(() => {
    if (route.view === "map" || route.view === "list") pane.set(route.view);
  }, [route.view]);
  const either = (as: Pane): ComponentChild =>
    h("button", { type: "button", "aria-pressed": as === chosen, onClick: () => showTown(as) }, say(`view.${as}`));
  return h(
    "section",
    { class: "town", "aria-label": say("page.town") },
    h("div", { class: "either", role: "group", "aria-label": say("map.or-list") }, either("map"), either("list")),
    of !== undefined &&
      h("div", { hidden: chosen === "list", class: "canvas" }, h(TownMap, { town: of }), h(Legend, null)),
    of !== undefined && chosen === "list" && h("div", { class: "listing" }, h(ListView, null)),
  );
}

/** What the colours and forms mean, in words. */
function Legend(): ComponentChild {
  return h(
    "p",
    { class: "legend" },
    h("span", { class: "lit" }, h("i", { class: "dot lighting" }), say("legend.lamp")),
    h("span", null, h("i", { class: "dot ring traffic" }), say("legend.junction")),
    h("span", null, h("i", { class: "dot square ring waste" }), say("legend.container")),
    h("span", null, h("i", { class: "dot ring wanted" }), say("legend.alarm")),
  );
}
