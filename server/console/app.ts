import { h, render } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Session } from "../api/resources.ts";
import { AlarmsView } from "./alarms.ts";
import { read } from "./api.ts";
import { useCell } from "./cell.ts";
import { DecisionsView } from "./decisions.ts";
import { DevicesView } from "./devices.ts";
import { DrawerOfAddress } from "./drawer.ts";
import { followEvents } from "./events.ts";
import { clockTime, percent } from "./format.ts";
import { JunctionsView } from "./junctions.ts";
import { followKeys, KeysHelp } from "./keys.ts";
import { language, say, speak, useLanguage } from "./language.ts";
import { NowView } from "./now.ts";
import { every, whenNetworkTurns } from "./pageClock.ts";
import { followAddress, go, here, Link, NUMBERED } from "./route.ts";
import type { Route, View } from "./route.ts";
import { RoundSheet } from "./roundSheet.ts";
import { RoundsView } from "./rounds.ts";
import { SettingsView } from "./settings.ts";
import { SignInView } from "./signIn.ts";
import {
  alarms,
  noticeSilence,
  now,
  readAll,
  readNow,
  said,
  session,
  silentSince,
  town,
  townTime,
  wanting,
} from "./state.ts";
import { Strip } from "./strip.ts";
import { useClock } from "./tick.ts";
import { TownPane } from "./townPane.ts";
import { TrialsView } from "./trials.ts";

/** How often the four sentences are read again; light, junctions and alarms come by themselves. */
const NOW_s = 10;

const COLUMN: { readonly [Of in View]?: () => ComponentChild } = {
  now: NowView,
  alarms: AlarmsView,
  rounds: RoundsView,
  junctions: JunctionsView,
  decisions: DecisionsView,
  devices: DevicesView,
  trials: TrialsView,
  settings: SettingsView,
};

speak(language.get());
followAddress();
followKeys();
render(h(Page, null), document.getElementById("page") as HTMLElement);
read<Session>("/session").then(
  (opened) => session.set(opened),
  () => session.set(null),
);

function Page(): ComponentChildren {
  useLanguage();
  const who = useCell(session);
  const route = useCell(here);
  const of = useCell(town);
  useEffect(() => {
    if (who === null || who === undefined) return undefined;
    readAll().catch(noticeSilence);
    const stop = [followEvents(), every(NOW_s * 1000, () => void readNow()), whenNetworkTurns(() => void readNow())];
    return () => {
      for (const each of stop) each();
    };
  }, [who?.account]);
  useEffect(() => {
    document.title = of === undefined ? "Vigie" : `${say(`view.${route.view}`)} · ${of.name} · Vigie`;
  }, [of, route.view, language.get()]);
  if (who === undefined) return null;
  if (who === null) return h(SignInView, null);
  if (route.view === "rounds" && route.id !== undefined && route.part === "print" && of !== undefined)
    return h(RoundSheet, { id: route.id, town: of });
  return h(Frame, null);
}

/** What stands in the column; while the town itself is the page, the column keeps the last view. */
function useColumn(): View {
  const route = useCell(here);
  const [kept, keep] = useState<View>("now");
  const beside = route.view === "map" || route.view === "list";
  useEffect(() => {
    if (!beside) keep(route.view);
  }, [route.view]);
  return beside ? kept : route.view;
}

function Frame(): ComponentChild {
  const route = useCell(here);
  const shown = useColumn();
  const figures = useCell(now);
  return h(
    "div",
    { class: "frame", "data-tab": route.view },
    h("a", { class: "skip", href: "#content" }, say("page.skip")),
    h(Bar, null),
    h(Banner, null),
    h(TownPane, null),
    h(
      "main",
      { class: "column", id: "content", tabIndex: -1, "aria-label": say("page.column") },
      h("div", { class: "scroll" }, h(Column, { view: shown })),
      figures !== undefined && h(DrawerOfAddress, null),
    ),
    h(Strip, null),
    h(Said, null),
    h(KeysHelp, null),
  );
}

/** A view, once the town's time is known: every age on it is counted from that. */
function Column(props: { readonly view: View }): ComponentChild {
  const figures = useCell(now);
  if (figures === undefined) return h("p", { class: "empty", role: "status" }, say("page.loading"));
  return h(COLUMN[props.view] ?? NowView, { key: props.view });
}

/** What is announced to who hears the page. */
function Said(): ComponentChild {
  return h("p", { class: "apart", role: "status", "aria-live": "polite" }, useCell(said));
}

function Bar(): ComponentChild {
  useClock(1);
  const route = useCell(here);
  const of = useCell(town);
  const wanted = wanting(useCell(alarms)).length;
  const [open, unfold] = useState(false);
  useEffect(() => unfold(false), [route]);
  const link = (view: View, rest: string): ComponentChild =>
    h(
      Link,
      { key: view, to: withoutThing(route, view), current: route.view === view, class: rest },
      say(`view.${view}`),
      view === "alarms" &&
        wanted > 0 &&
        h("span", { class: "count" }, wanted, h("span", { class: "apart" }, ` ${say("alarms.wanting")}`)),
    );
  return h(
    "header",
    { class: "bar" },
    h(Link, { to: { view: "now" }, class: "brand" }, h("b", null, "Vigie"), h("span", null, of?.name ?? "")),
    h("span", { class: "clock" }, townTime() > 0 ? clockTime(townTime()) : ""),
    h(
      "nav",
      { class: `views ${open ? "open" : ""}`, "aria-label": say("page.views") },
      link("now", ""),
      link("alarms", ""),
      link("map", "narrow-only"),
      link("list", "narrow-only"),
      h(
        "button",
        { type: "button", class: "more", "aria-expanded": open, onClick: () => unfold(!open) },
        say("page.more"),
      ),
      NUMBERED.slice(2).map((view) => link(view, "rest")),
    ),
  );
}

/** Another view at the same time, without the thing looked at. */
const withoutThing = ({ at }: Route, view: View): Route => ({ view, ...(at !== undefined && { at }) });

/** One line above everything when the page does not show the town as it is now. */
function Banner(): ComponentChildren {
  const silent = useCell(silentSince);
  const figures = useCell(now);
  const { at, ...rest } = useCell(here);
  if (silent !== undefined)
    return h("p", { class: "banner", role: "status" }, say("page.offline", { time: clockTime(silent) }));
  if (figures?.waitsFor !== undefined) {
    return h(
      "p",
      { class: "banner", role: "status" },
      say("page.waits", { problem: figures.waitsFor[language.get()] }),
    );
  }
  if (figures?.state === "preparing") {
    return h(
      "p",
      { class: "banner", role: "status" },
      say("page.preparing", { percent: percent(figures.progress) }),
      h("progress", {
        max: 1,
        value: figures.progress,
        "aria-label": say("page.preparing", { percent: percent(figures.progress) }),
      }),
    );
  }
  if (at === undefined) return null;
  return h(
    "p",
    { class: "banner" },
    say("page.replaying", { time: clockTime(at) }),
    " ",
    h("button", { type: "button", class: "button bare", onClick: () => go(rest) }, say("page.back-to-now")),
  );
}
