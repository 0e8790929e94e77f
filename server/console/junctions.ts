import { h } from "preact";
import type { ComponentChild } from "preact";
import type { JunctionDetail } from "../api/resources.ts";
import { useCell } from "./cell.ts";
import { age, duration, number } from "./format.ts";
import { JunctionPlan } from "./junctionPlan.ts";
import { say, sayNamed } from "./language.ts";
import { drawn, useResource } from "./resource.ts";
import { bar } from "./rounds.ts";
import { ask, here, Link } from "./route.ts";
import { junctions, townTime } from "./state.ts";
import { useClock } from "./tick.ts";

/** Junctions, the longest wait first; with an id, one of them drawn from above. */
export function JunctionsView(): ComponentChild {
  const route = useCell(here);
  const all = useCell(junctions);
  if (route.id !== undefined) return h(JunctionWhole, { id: route.id, key: route.id });
  const sorted = [...all].sort((one, other) => (other.longestWait_s ?? -1) - (one.longestWait_s ?? -1));
  return h(
    "div",
    { class: "traffic" },
    h("div", { class: "head" }, h("h1", null, say("view.junctions"))),
    sorted.length === 0 && h("p", { class: "empty" }, say("junctions.none")),
    h(
      "ul",
      { class: "rows" },
      sorted.map((junction) =>
        h(
          "li",
          { key: junction.id },
          h(
            Link,
            { to: { view: "junctions", id: junction.id }, class: "row" },
            h("span", { class: "title" }, `${junction.id} · ${junction.name}`),
            h("span", { class: "side" }, junction.longestWait_s === null ? "—" : duration(junction.longestWait_s)),
            h(
              "span",
              { class: "under" },
              [
                junction.mode === null ? say("junctions.never") : sayNamed("mode", junction.mode),
                junction.queue === null ? "" : say("junctions.queue", { n: Math.round(junction.queue) }),
                junction.overridden ? say("junctions.by-hand") : "",
                junction.online ? "" : say("twin.offline"),
              ]
                .filter(Boolean)
                .join(" · "),
            ),
            junction.longestWait_s !== null && h("span", { class: "under" }, bar(junction.longestWait_s / 120)),
          ),
        ),
      ),
    ),
  );
}

function JunctionWhole(props: { readonly id: string }): ComponentChild {
  useClock(1);
  const live = useCell(junctions).find((each) => each.id === props.id);
  // Stage and greens come by the stream; queues and flows are asked for when these move, and every few seconds.
  const junction = useResource<JunctionDetail>(
    `/junctions/${encodeURIComponent(props.id)}`,
    `${live?.stage ?? ""}${live?.greens.join() ?? ""}`,
    5,
  );
  return h(
    "div",
    { class: "traffic" },
    h(Link, { to: { view: "junctions" }, class: "button bare back" }, `← ${say("view.junctions")}`),
    drawn(junction, (given) => {
      const current: JunctionDetail = { ...given, ...live, groups: given.groups };
      const wait = current.longestWait_s;
      return h(
        "div",
        null,
        h(
          "div",
          { class: "head" },
          h("h1", null, `${current.id} · ${current.name}`),
          h(
            "button",
            { type: "button", class: "button", "data-key": "why", onClick: () => ask(props.id) },
            say("why.ask"),
          ),
        ),
        h(
          "p",
          { class: "lead" },
          [
            current.mode === null ? say("junctions.never") : say(`junctions.runs.${modeOf(current.mode)}`),
            current.at === null ? "" : age(current.at, townTime()),
          ]
            .filter(Boolean)
            .join(" · "),
        ),
        h(JunctionPlan, { junction: current }),
        h("h2", null, say("junctions.phase")),
        h(Ribbon, { junction: current }),
        h("h2", null, say("junctions.waits")),
        wait !== null &&
          h(
            "div",
            { class: "meter-row" },
            h("span", null, say("junctions.longest")),
            bar(wait / current.waitBound_s),
            h("span", { class: "figure" }, duration(wait)),
          ),
        h("p", { class: "quiet small" }, say("junctions.bound", { bound: duration(current.waitBound_s) })),
        h(
          "ul",
          { class: "groups" },
          current.groups.map((group) =>
            h(
              "li",
              { class: "meter-row", key: group.id },
              h("span", null, groupName(current, group)),
              bar(group.occupancy ?? (group.waiting ? 1 : 0)),
              h("span", { class: "figure" }, groupState(group)),
            ),
          ),
        ),
      );
    }),
  );
}

type Group = JunctionDetail["groups"][number];

const modeOf = (mode: string): "adaptive" | "frame" | "fixed" | "flash" =>
  mode === "adaptive" || mode === "frame" || mode === "fixed" ? mode : "flash";

/** “Pedestrians · quai Nord”, “Vehicles · rue du Port”. */
export function groupName(junction: JunctionDetail, group: Group): string {
  const approach = junction.approaches.find((each) => each.id === group.approach);
  return [say(`junctions.${group.kind}`), approach?.streetName ?? group.id].join(" · ");
}

function groupState(group: Group): string {
  if (group.green) return say("junctions.green");
  return say(group.waiting ? "junctions.waiting" : "junctions.red");
}

/** The frame as a ribbon: each stage as long as its share, the one shown now in colour. */
function Ribbon(props: { readonly junction: JunctionDetail }): ComponentChild {
  const { frame, stage, stages } = props.junction;
  const parts = frame?.stages ?? stages.map((each) => ({ stage: each.id, target_s: 1, min_s: 0, max_s: 0 }));
  const told = stage === null ? say("junctions.between") : say("junctions.stage-now", { stage });
  return h(
    "div",
    null,
    h(
      "div",
      { class: "ribbon", role: "img", "aria-label": told },
      parts.map((part) =>
        h(
          "span",
          {
            key: part.stage,
            class: part.stage === stage ? "shown" : "",
            style: { "--length": Math.max(1, part.target_s) },
          },
          frame === null ? part.stage : `${part.stage} · ${duration(part.target_s)}`,
        ),
      ),
    ),
    h(
      "p",
      { class: "quiet small" },
      told,
      " ",
      frame === null
        ? say("junctions.no-frame")
        : say("junctions.frame", {
            cycle: duration(frame.cycle_s),
            ranges: frame.stages
              .map((each) => `${each.stage} ${number(each.min_s)}–${number(each.max_s)}\u00a0s`)
              .join(", "),
          }),
      " ",
      frame?.decision != null && h(Link, { to: { view: "decisions", id: frame.decision } }, say("why.decision")),
    ),
  );
}
