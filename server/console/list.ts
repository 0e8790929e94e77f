import { h } from "preact";
import type { ComponentChild } from "preact";
import { useMemo, useState } from "preact/hooks";
import { LAMP_RULES } from "#protocol/kinds.ts";
import { useCell } from "./cell.ts";
import { duration, percent } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import type { Place } from "./places.ts";
import { places, streetName } from "./places.ts";
import { ask, go, here } from "./route.ts";
import { alarms, containers, junctions, lamps, wanting } from "./state.ts";
import { useLampTick } from "./tick.ts";

/** Everything that is on the map, in words: streets with their lamps, containers, junctions. Chosen here, chosen there. */
export function ListView(): ComponentChild {
  useLampTick();
  const [search, look] = useState("");
  const route = useCell(here);
  const struck = new Set(wanting(useCell(alarms)).flatMap((alarm) => [alarm.subject, ...alarm.devices]));
  const bins = useCell(containers);
  const signals = useCell(junctions);
  const streets = useMemo(() => byStreet([...places().values()]), [places()]);
  const chosen = route.why ?? route.id;
  const fits = (...texts: string[]): boolean => texts.some((text) => folded(text).includes(folded(search)));
  const shownSignals = signals.filter((each) => fits(each.id, each.name));
  const shownBins = bins.filter((each) => fits(each.id, streetName(each.street), sayNamed("stream", each.stream)));
  const shownStreets = [...streets].filter(([street, mine]) =>
    fits(streetName(street), ...mine.map((place) => place.id)),
  );
  return h(
    "div",
    { class: "list" },
    h(
      "label",
      { class: "field" },
      h("span", null, say("page.search")),
      h("input", {
        class: "input",
        type: "search",
        "data-key": "search",
        value: search,
        onInput: (event: Event) => look((event.target as HTMLInputElement).value),
      }),
    ),
    shownSignals.length + shownBins.length + shownStreets.length === 0 &&
      h("p", { class: "empty" }, say("page.nothing-found")),
    shownSignals.length > 0 && h("h2", { class: "traffic" }, say("list.junctions", { n: shownSignals.length })),
    h(
      "ul",
      { class: "rows traffic" },
      shownSignals.map((each) =>
        row(
          each.id,
          each.id === chosen,
          `${each.id} · ${each.name}`,
          each.longestWait_s === null ? "—" : say("list.wait", { wait: duration(each.longestWait_s) }),
          struck.has(each.id),
          () => go({ view: "junctions", id: each.id }),
        ),
      ),
    ),
    shownBins.length > 0 && h("h2", { class: "waste" }, say("list.containers", { n: shownBins.length })),
    h(
      "ul",
      { class: "rows waste" },
      shownBins.map((each) =>
        row(
          each.id,
          each.id === chosen,
          [each.id, streetName(each.street), sayNamed("stream", each.stream)].filter(Boolean).join(" · "),
          each.fill === null ? "—" : percent(each.fill),
          struck.has(each.id),
          () => ask(each.id),
        ),
      ),
    ),
    shownStreets.length > 0 && h("h2", { class: "lighting" }, say("list.streets", { n: shownStreets.length })),
    shownStreets.map(([street, mine]) =>
      h(StreetPart, { key: street, street, mine, chosen, struck, open: search !== "" && shownStreets.length < 6 }),
    ),
  );
}

function StreetPart(props: {
  readonly street: string;
  readonly mine: readonly Place[];
  readonly chosen: string | undefined;
  readonly struck: ReadonlySet<string>;
  readonly open: boolean;
}): ComponentChild {
  const { street, mine } = props;
  const [opened, open] = useState(false);
  const levels = mine.map((place) => lamps.get(place.id)?.level ?? 0);
  const mean = levels.reduce((sum, each) => sum + each, 0) / Math.max(1, levels.length);
  const walked = mine.filter((place) => LAMP_RULES[lamps.get(place.id)?.rule ?? -1] === "presence").length;
  const shown = opened || props.open || mine.some((place) => place.id === props.chosen);
  return h(
    "section",
    { class: "street lighting" },
    h(
      "div",
      { class: "street-row" },
      h(
        "button",
        {
          type: "button",
          class: `row ${street === props.chosen ? "chosen" : ""}`,
          "data-row": street,
          "aria-current": street === props.chosen ? "true" : undefined,
          onClick: () => ask(street),
        },
        h("span", { class: "title" }, streetName(street)),
        h("span", { class: "side" }, say("list.mean", { level: percent(mean) })),
        h(
          "span",
          { class: "under" },
          [say("list.lamps", { n: mine.length }), walked > 0 && say("list.walked", { n: walked })]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
      h(
        "button",
        { type: "button", class: "button bare", "aria-expanded": shown, onClick: () => open(!shown) },
        say(shown ? "list.fold" : "list.unfold"),
        h("span", { class: "apart" }, streetName(street)),
      ),
    ),
    shown &&
      h(
        "ul",
        { class: "rows inner" },
        mine.map((place) => {
          const lamp = lamps.get(place.id);
          const rule = sayNamed("short", LAMP_RULES[lamp?.rule ?? -1] ?? "", {}, "");
          const level = lamp === undefined || lamp.level === null ? "—" : percent(lamp.level);
          return row(
            place.id,
            place.id === props.chosen,
            place.id,
            rule === "" ? level : `${rule} · ${level}`,
            props.struck.has(place.id),
            () => ask(place.id),
          );
        }),
      ),
  );
}

function row(
  id: string,
  chosen: boolean,
  title: string,
  side: string,
  struck: boolean,
  open: () => void,
): ComponentChild {
  return h(
    "li",
    { key: id },
    h(
      "button",
      {
        type: "button",
        class: `row ${chosen ? "chosen" : ""}`,
        "data-row": id,
        "aria-current": chosen ? "true" : undefined,
        onClick: open,
      },
      h("span", { class: "title" }, title, struck && h("span", { class: "tag hue wanted" }, say("list.alarm"))),
      h("span", { class: "side" }, side),
    ),
  );
}

function byStreet(all: readonly Place[]): ReadonlyMap<string, readonly Place[]> {
  const streets = new Map<string, Place[]>();
  for (const place of all) {
    if (place.kind !== "luminaire" || place.street === undefined) continue;
    const mine = streets.get(place.street);
    if (mine === undefined) streets.set(place.street, [place]);
    else mine.push(place);
  }
  return new Map([...streets].sort(([one], [other]) => streetName(one).localeCompare(streetName(other))));
}

/** Lower case without accents: “ecole” finds “École”. */
const folded = (text: string): string => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
