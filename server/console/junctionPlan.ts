import { h } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import type { JunctionDetail } from "../api/resources.ts";
import { nameOf, onPage } from "./junctionArms.ts";
import type { Name } from "./junctionArms.ts";
import { say } from "./language.ts";

/** A junction from above, drawn from the territory: arms by their bearing, arrows for vehicles, crossings for people. */
const MIDDLE = 200;
/** Radius of the box in the middle, the width of a lane, where an arm ends. */
const BOX = 50;
const LANE = 26;
const END = 196;
/** Distances from the middle: the crossing, the stop line behind it, the arrow behind that, and where a queue begins. */
const CROSSING = BOX + 8;
const STOP = CROSSING + 24;
const ARROW = STOP + 6;
const QUEUE = STOP + 34;
/** A car and a person are drawn as large as each other. */
const CAR = 20;
/** Who waits stands so far beside the road; around everything there is a little air. */
const WAITING = 24;
const AIR = 6;

type Group = JunctionDetail["groups"][number];
type Approach = JunctionDetail["approaches"][number];

export function JunctionPlan(props: { readonly junction: JunctionDetail }): ComponentChild {
  const { junction } = props;
  const greens = junction.groups.filter((group) => junction.greens.includes(group.id));
  const told = say("plan.label", {
    junction: junction.name,
    greens: greens.length === 0 ? "—" : greens.map((group) => group.id).join(", "),
  });
  const arms = junction.approaches.map((approach) => ({ ...approach, width: widthOf(approach) }));
  const names = arms.map((arm) =>
    nameOf(
      arm,
      arms.filter((each) => each.id !== arm.id),
      arm.streetName ?? "",
      END,
    ),
  );
  const box = around(junction.approaches, names);
  return h(
    "svg",
    {
      class: "plan",
      viewBox: `${box.left} ${box.top} ${box.width} ${box.height}`,
      style: { maxWidth: `${box.width}px` },
      role: "img",
      "aria-label": told,
    },
    junction.approaches.map((approach) => h("g", { key: approach.id, transform: turned(approach) }, road(approach))),
    h("circle", { class: "road", cx: MIDDLE, cy: MIDDLE, r: BOX + 4 }),
    junction.approaches.map((approach) =>
      h("g", { key: approach.id, transform: turned(approach) }, onArm(junction, approach)),
    ),
    junction.approaches.map((approach, index) => streetLabel(approach, names[index] as Name)),
  );
}

/** The arm is drawn up the page and turned to where its vehicles come from. */
const turned = (approach: Approach): string => `rotate(${approach.bearing_deg} ${MIDDLE} ${MIDDLE})`;
/** Lanes that come in, and one that goes out. */
const widthOf = (approach: Approach): number => LANE * (approach.lanes + 1) + 4;

function road(approach: Approach): ComponentChildren {
  const width = widthOf(approach);
  const divide = MIDDLE - width / 2 + LANE * approach.lanes + 2;
  return [
    h("rect", { class: "road", x: MIDDLE - width / 2, y: MIDDLE - END, width, height: END }),
    h("line", { class: "divide", x1: divide, x2: divide, y1: MIDDLE - END, y2: MIDDLE - STOP }),
  ];
}

function onArm(junction: JunctionDetail, approach: Approach): ComponentChildren {
  const mine = junction.groups.filter((group) => group.approach === approach.id);
  const vehicles = mine.filter((group) => group.kind === "vehicle");
  const width = widthOf(approach);
  const left = MIDDLE - width / 2;
  const lane = (approach.lanes * LANE) / Math.max(1, vehicles.length);
  return [
    ...vehicles.map((group, index) => vehiclePart(junction, group, left + 2 + lane * (index + 0.5), lane)),
    ...mine
      .filter((group) => group.kind === "pedestrian")
      .map((group) => crossing(junction, approach, group, left, width)),
  ];
}

/** Traffic keeps right: seen from the middle, vehicles come in on the left of an arm that is drawn up the page. */
function vehiclePart(junction: JunctionDetail, group: Group, x: number, lane: number): ComponentChild {
  const green = junction.greens.includes(group.id);
  const queued = green ? 0 : Math.min(4, Math.round((group.occupancy ?? 0) * 5) + (group.waiting ? 1 : 0));
  const stop = MIDDLE - STOP;
  return h(
    "g",
    { key: group.id, class: green ? "go" : "halt" },
    h("line", { class: "stop-line", x1: x - lane / 2 + 3, x2: x + lane / 2 - 3, y1: stop, y2: stop }),
    h("path", { class: "arrow", d: arrow(x, MIDDLE - ARROW, group.turns) }),
    Array.from({ length: queued }, (_, index) =>
      h("rect", {
        key: index,
        class: "car",
        x: x - 7,
        y: MIDDLE - QUEUE - CAR - index * (CAR + 4),
        width: 14,
        height: CAR,
        rx: 4,
      }),
    ),
  );
}

/** An arrow whose tip lies at `tip`, for a driver who looks down the page: the right hand is on the left of the picture. */
function arrow(x: number, tip: number, turns: readonly string[]): string {
  const tail = tip - 22;
  const parts: string[] = [];
  if (turns.includes("through") || turns.length === 0) parts.push(`M${x} ${tail}V${tip}m-5-6l5 6l5-6`);
  if (turns.includes("left")) parts.push(`M${x} ${tail}v8q0 6 8 6m-4-4l4 4l-4 4`);
  if (turns.includes("right")) parts.push(`M${x} ${tail}v8q0 6 -8 6m4-4l-4 4l4 4`);
  return parts.join("");
}

/** A crossing with whoever waits at its side, or walks on it. */
function crossing(
  junction: JunctionDetail,
  approach: Approach,
  group: Group,
  left: number,
  width: number,
): ComponentChild {
  const green = junction.greens.includes(group.id);
  const y = MIDDLE - CROSSING - 14;
  return h(
    "g",
    { key: group.id, class: green ? "go" : "halt" },
    Array.from({ length: Math.floor(width / 8) }, (_, index) =>
      h("rect", { key: index, class: "stripe", x: left + 2 + index * 8, y, width: 4, height: 14 }),
    ),
    group.waiting && person(green ? MIDDLE : left - 14, y + 7, approach.bearing_deg),
  );
}

/** Upright, however its street is turned. */
function person(x: number, y: number, bearing_deg: number): ComponentChild {
  return h(
    "g",
    { class: "person", transform: `rotate(${-bearing_deg} ${x} ${y})` },
    h("circle", { cx: x, cy: y - CAR / 2 + 3, r: 4.5 }),
    h("path", { d: `M${x} ${y - 2}v6l-4 7m4-7l4 7m-9-11h10` }),
  );
}

/** A street's name along its arm. */
function streetLabel(approach: Approach, { at, outwards }: Name): ComponentChild {
  const [x, y] = [MIDDLE + at.aside, MIDDLE - at.out];
  return h(
    "g",
    { key: approach.id, transform: turned(approach) },
    h(
      "text",
      {
        class: "street-name",
        x,
        y,
        transform: `rotate(${outwards ? -90 : 90} ${x} ${y})`,
        "text-anchor": outwards ? "start" : "end",
        "dominant-baseline": "central",
      },
      approach.streetName,
    ),
  );
}

/** The part of the page that holds the arms, their names and who waits: an arm that is not there takes no room. */
function around(approaches: readonly Approach[], names: readonly Name[]) {
  const places = approaches.flatMap((approach, index) => {
    const side = widthOf(approach) / 2;
    const { at, length } = names[index] as Name;
    const beyond = at.aside + Math.sign(at.aside) * 8;
    return [
      { out: END, aside: -side },
      { out: END, aside: side },
      { out: CROSSING, aside: -side - WAITING },
      { out: at.out, aside: beyond },
      { out: at.out + length, aside: beyond },
    ].map((place) => onPage(approach.bearing_deg, place));
  });
  const reach = (of: (place: { readonly x: number; readonly y: number }) => number): number =>
    Math.ceil(Math.max(BOX, ...places.map(of))) + AIR;
  const [left, right] = [reach(({ x }) => -x), reach(({ x }) => x)];
  const [up, down] = [reach(({ y }) => -y), reach(({ y }) => y)];
  return { left: MIDDLE - left, top: MIDDLE - up, width: left + right, height: up + down };
}
