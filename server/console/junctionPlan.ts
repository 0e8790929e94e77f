import { h } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import type { JunctionDetail } from "../api/resources.ts";
import { say } from "./language.ts";

/** A junction from above, drawn from the territory: arms by their bearing, arrows for vehicles, crossings for people. */
const SIZE = 400;
const MIDDLE = SIZE / 2;
/** Half the width of the box in the middle, the width of a lane, where an arm ends. */
const BOX = 52;
const LANE = 20;
const END = 190;

type Group = JunctionDetail["groups"][number];
type Approach = JunctionDetail["approaches"][number];

export function JunctionPlan(props: { readonly junction: JunctionDetail }): ComponentChild {
  const { junction } = props;
  const greens = junction.groups.filter((group) => junction.greens.includes(group.id));
  return h(
    "svg",
    { class: "plan", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": say("plan.label", { junction: junction.name, greens: greens.length === 0 ? "—" : greens.map((group) => group.id).join(", ") }) },
    junction.approaches.map((approach) => arm(approach)),
    h("circle", { class: "road", cx: MIDDLE, cy: MIDDLE, r: BOX + 6 }),
    junction.approaches.map((approach) => h("g", { key: approach.id, transform: turned(approach) }, onArm(junction, approach))),
  );
}

/** The arm points up the page and is turned to where its vehicles come from. */
const turned = (approach: Approach): string => `rotate(${approach.bearing_deg} ${MIDDLE} ${MIDDLE})`;

function arm(approach: Approach): ComponentChild {
  const width = LANE * (approach.lanes + 1) + 8;
  return h(
    "g",
    { key: approach.id, transform: turned(approach) },
    h("rect", { class: "road", x: MIDDLE - width / 2, y: MIDDLE - END, width, height: END }),
    h("line", { class: "divide", x1: MIDDLE + width / 2 - LANE - 2, x2: MIDDLE + width / 2 - LANE - 2, y1: MIDDLE - END, y2: MIDDLE - BOX - 26 }),
  );
}

function onArm(junction: JunctionDetail, approach: Approach): ComponentChildren {
  const mine = junction.groups.filter((group) => group.approach === approach.id);
  const vehicles = mine.filter((group) => group.kind === "vehicle");
  const walkers = mine.filter((group) => group.kind === "pedestrian");
  const width = LANE * (approach.lanes + 1) + 8;
  const left = MIDDLE - width / 2;
  return [
    ...vehicles.map((group, index) => vehicleHead(junction, group, left + LANE * (index + 0.5) + 4)),
    ...walkers.map((group) => crossing(junction, group, left, width)),
    label(approach),
  ];
}

/** Traffic keeps right: seen from the middle, vehicles come in on the left of an arm that points up. */
function vehicleHead(junction: JunctionDetail, group: Group, x: number): ComponentChild {
  const green = junction.greens.includes(group.id);
  const top = MIDDLE - BOX - 28;
  const queued = Math.round((group.occupancy ?? (group.waiting ? 0.4 : 0)) * 5);
  return h(
    "g",
    { key: group.id, class: green ? "go" : "halt" },
    h("line", { class: "stop-line", x1: x - LANE / 2 + 2, x2: x + LANE / 2 - 2, y1: top, y2: top }),
    h("path", { class: "arrow", d: arrow(x, top + 4, group.turns) }),
    Array.from({ length: green ? 0 : queued }, (_, index) => h("rect", { key: index, class: "car", x: x - 6, y: top - 22 - index * 21, width: 12, height: 17, rx: 3 })),
  );
}

function arrow(x: number, y: number, turns: readonly string[]): string {
  const parts: string[] = [];
  if (turns.includes("through") || turns.length === 0) parts.push(`M${x} ${y}v18m-5-6l5 6l5-6`);
  // The driver looks down the page: the right hand is on its left.
  if (turns.includes("left")) parts.push(`M${x} ${y}v8q0 6 7 6m-4-4l4 4l-4 4`);
  if (turns.includes("right")) parts.push(`M${x} ${y}v8q0 6 -7 6m4-4l-4 4l4 4`);
  return parts.join("");
}

/** A crossing, and who waits at it, drawn as large as a car. */
function crossing(junction: JunctionDetail, group: Group, left: number, width: number): ComponentChild {
  const green = junction.greens.includes(group.id);
  const y = MIDDLE - BOX - 18;
  const stripes = Math.floor(width / 8);
  return h(
    "g",
    { key: group.id, class: green ? "go" : "halt" },
    Array.from({ length: stripes }, (_, index) => h("rect", { key: index, class: "stripe", x: left + 2 + index * 8, y, width: 4, height: 12 })),
    (group.waiting || green) && person(green ? MIDDLE : left - 12, y + 8),
  );
}

function person(x: number, y: number): ComponentChild {
  return h("g", { class: "person" }, h("circle", { cx: x, cy: y - 9, r: 4 }), h("path", { d: `M${x} ${y - 5}v8m0 0l-4 8m4-8l4 8m-9-13h10` }));
}

function label(approach: Approach): ComponentChild {
  const y = MIDDLE - END + 10;
  // Text is turned back so that it is read the right way up.
  return h("text", { key: "name", class: "street-name", x: MIDDLE, y, transform: `rotate(${-approach.bearing_deg} ${MIDDLE} ${y})` }, approach.streetName);
}
