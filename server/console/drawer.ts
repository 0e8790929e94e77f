import { h } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { DecisionDetail, DecisionEntry, LatestValue, Twin, Why } from "../api/resources.ts";
import { query } from "./api.ts";
import { useCell } from "./cell.ts";
import { Chart } from "./chart.ts";
import {
  factRows,
  factText,
  firstLine,
  optionText,
  orderText,
  refusedSentence,
  ruleSentence,
  valueText,
} from "./explain.ts";
import { age, clockTime, duration, exactTime, percent, quantity, when } from "./format.ts";
import { Handle } from "./handle.ts";
import { say, sayNamed } from "./language.ts";
import { OverrideForm } from "./overrideForm.ts";
import { called, places, streetName } from "./places.ts";
import { drawn, useResource } from "./resource.ts";
import { ask, here, Link } from "./route.ts";
import { lamps, mayAct, overrides, session, stirred, townTime } from "./state.ts";
import { useLampTick } from "./tick.ts";

/** Why? One thing, its value now, and everything behind it: reason, facts, what else was possible, until when, by whom. */
export function Drawer(props: { readonly id: string }): ComponentChild {
  const { id } = props;
  const [taking, take] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  const place = places().get(id);
  const service = serviceOf(place?.kind);
  return h(
    "section",
    { class: `drawer ${service}`, "aria-labelledby": "drawer-title" },
    h(
      "div",
      { class: "top" },
      h("span", null, say("why.title")),
      h("button", { type: "button", class: "button bare", onClick: () => ask(undefined) }, say("page.close")),
    ),
    h("h2", { id: "drawer-title", class: "named", tabIndex: -1, ref: heading }, called(id)),
    h(place?.kind === "street" ? StreetWhy : DeviceWhy, {
      id,
      key: id,
      hand: h(Take, { id, kind: place?.kind ?? "", open: taking, take }),
    }),
  );
}

/** The hand: taking over needs a level, a time and a sentence. */
function Take(props: {
  readonly id: string;
  readonly kind: string;
  readonly open: boolean;
  readonly take: (open: boolean) => void;
}): ComponentChildren {
  const who = useCell(session);
  if (!["luminaire", "junction", "street", "zone"].includes(props.kind)) return null;
  if (!mayAct(who)) return h("p", { class: "quiet small spaced" }, say("override.who"));
  if (!props.open) {
    return h(
      "div",
      { class: "buttons" },
      h(
        "button",
        { type: "button", class: "button main", "data-key": "override", onClick: () => props.take(true) },
        say("override.take"),
      ),
    );
  }
  return h(OverrideForm, { id: props.id, kind: props.kind, done: () => props.take(false) });
}

function DeviceWhy(props: { readonly id: string; readonly hand: ComponentChildren }): ComponentChild {
  const stir = useCell(stirred);
  useLampTick(props.id);
  const own = lamps.get(props.id);
  const path = `/devices/${encodeURIComponent(props.id)}`;
  // A lamp's level moves under the open drawer: it is asked again when it does.
  const why = useResource<Why>(
    `${path}/why`,
    `${stir.overrides} ${stir.everything} ${own?.level ?? ""} ${own?.rule ?? ""}`,
    10,
  );
  const twin = useResource<Twin>(path, stir.overrides, 30);
  return h(
    "div",
    null,
    drawn(why, (given) => h(Reason, { why: given, hand: props.hand })),
    twin.value !== undefined && h(TwinPart, { twin: twin.value }),
  );
}

function Reason(props: { readonly why: Why; readonly hand: ComponentChildren }): ComponentChild {
  const { why } = props;
  const { figure, label } = firstLine(why);
  const facts = factRows(why.evidence);
  return h(
    "div",
    null,
    h(
      "p",
      { class: `value ${why.latest?.stale === true ? "old" : ""}` },
      h("b", null, figure),
      h(
        "span",
        { class: "quiet" },
        [label, why.latest === null ? say("why.never") : moment(why.latest)].filter(Boolean).join(" · "),
      ),
    ),
    why.because !== null &&
      h(
        "p",
        { class: "lead" },
        ruleSentence(why.because, {
          ...why.evidence,
          ...(why.validUntil !== null && { until: when(why.validUntil, townTime()) }),
        }),
      ),
    why.override !== null &&
      h(Handle, {
        override: why.override,
        ...(why.machine !== null && {
          machine: `${valueText(why.kind, why.machine.value)} (${sayNamed("short", why.machine.because)})`,
        }),
      }),
    h(
      "p",
      { class: "quiet small" },
      // An end that has passed says nothing; what holds now is read again in a moment.
      why.validUntil !== null &&
        why.validUntil > townTime() &&
        say("why.until", {
          time: when(why.validUntil, townTime()),
          left: duration((why.validUntil - townTime()) / 1000),
        }),
      " ",
      why.decision !== null && h(Link, { to: { view: "decisions", id: why.decision } }, say("why.decision")),
    ),
    props.hand,
    why.kind === "lamp" && h(StreetLink, { id: why.device }),
    facts.length > 0 && h("section", null, h("h2", null, say("why.evidence")), h(Evidence, { rows: facts })),
    why.alternatives.length > 0 &&
      h(
        "section",
        null,
        h("h2", null, say("why.considered")),
        h(Considered, { kind: why.kind, alternatives: why.alternatives }),
      ),
  );
}

const moment = (latest: LatestValue): string => `${clockTime(latest.at)} (${age(latest.at, townTime())})`;

export function Facts(props: { readonly rows: readonly (readonly [string, string])[] }): ComponentChild {
  return h(
    "dl",
    { class: "facts" },
    props.rows.flatMap(([label, text]) => [h("dt", null, label), h("dd", null, text)]),
  );
}

/** The facts that decide first; the others a step away. */
const FIRST_FACTS = 6;

export function Evidence(props: { readonly rows: readonly (readonly [string, string])[] }): ComponentChild {
  const { rows } = props;
  if (rows.length <= FIRST_FACTS + 2) return h(Facts, { rows });
  return h(
    "div",
    null,
    h(Facts, { rows: rows.slice(0, FIRST_FACTS) }),
    h(
      "details",
      null,
      h("summary", null, say("fact.more", { n: rows.length })),
      h(Facts, { rows: rows.slice(FIRST_FACTS) }),
    ),
  );
}

/** What else was possible, why it was not taken, and at what cost. */
export function Considered(props: {
  readonly kind: string;
  readonly alternatives: Why["alternatives"];
}): ComponentChild {
  return h(
    "ul",
    { class: "considered" },
    props.alternatives.map((each, index) =>
      h(
        "li",
        { key: index },
        h("b", null, optionText(props.kind, each.value)),
        " — ",
        refusedSentence(each.refused),
        each.cost !== undefined &&
          h("span", { class: "quiet" }, ` ${say("why.cost", { cost: factText("cost", each.cost) })}`),
      ),
    ),
  );
}

function StreetLink(props: { readonly id: string }): ComponentChildren {
  const street = places().get(props.id)?.street;
  if (street === undefined) return null;
  return h(
    "p",
    { class: "buttons" },
    h(
      "button",
      { type: "button", class: "button", onClick: () => ask(street) },
      say("why.street", { street: streetName(street) }),
    ),
  );
}

function TwinPart(props: { readonly twin: Twin }): ComponentChild {
  const { twin } = props;
  const reported = Object.entries(twin.reported);
  return h(
    "div",
    null,
    twin.measure !== null &&
      h(
        "section",
        null,
        h("h2", null, say("why.last-day")),
        h(Chart, { device: twin.id, measure: twin.measure, unit: twin.latest?.unit ?? "" }),
      ),
    h(
      "section",
      null,
      h("h2", null, say("twin.title")),
      h(Facts, {
        rows: [
          ...(twin.desired === null
            ? []
            : [
                [
                  say("twin.desired"),
                  `${orderText(twin.desired.order)} · ${say(`twin.by-${twin.desired.by}`)} · ${when(twin.desired.since, townTime())}`,
                ] as const,
              ]),
          ...(twin.desired === null
            ? []
            : [
                [
                  say("twin.answer"),
                  [
                    say(`twin.${twin.desired.progress}`),
                    twin.desired.because ?? "",
                    twin.desired.answeredAt === null ? "" : exactTime(twin.desired.answeredAt),
                  ]
                    .filter(Boolean)
                    .join(" · "),
                ] as const,
              ]),
          ...reported.map(
            ([name, latest]) =>
              [
                sayNamed("measure", name, {}, name),
                `${latest.name === null ? (name === "level" || name === "fill" ? percent(latest.value) : quantity(latest.value, latest.unit)) : sayNamed("short", latest.name)} · ${age(latest.at, townTime())}`,
              ] as const,
          ),
          [say("twin.station"), `${twin.station} · ${say(twin.online ? "twin.online" : "twin.offline")}`],
        ],
      }),
    ),
  );
}

/** A street: its lamps together, and the programme that was decided for it. */
function StreetWhy(props: { readonly id: string; readonly hand: ComponentChildren }): ComponentChild {
  useLampTick();
  const stir = useCell(stirred);
  const byHand = useCell(overrides).filter((each) => each.scope.kind === "street" && each.scope.id === props.id);
  const newest = useResource<{ entries: DecisionEntry[] }>(
    query("/decisions", { name: "lighting.programme", subject: props.id, limit: 1 }),
    stir.everything,
  );
  const entry = newest.value?.entries[0];
  const decision = useResource<DecisionDetail>(entry === undefined ? undefined : `/decisions/${entry.id}`);
  const mine = [...places().values()].filter((place) => place.kind === "luminaire" && place.street === props.id);
  const levels = mine.map((place) => lamps.get(place.id)?.level ?? 0);
  const mean = levels.length === 0 ? 0 : levels.reduce((sum, each) => sum + each, 0) / levels.length;
  return h(
    "div",
    null,
    h(
      "p",
      { class: "value" },
      h("b", null, percent(mean)),
      h("span", { class: "quiet" }, say("street.mean", { n: mine.length })),
    ),
    byHand.map((override) => h(Handle, { key: override.id, override })),
    props.hand,
    decision.value !== undefined &&
      h(
        "div",
        null,
        h("p", { class: "lead" }, ruleSentence(decision.value.because, decision.value.evidence)),
        h(
          "p",
          { class: "small quiet" },
          h(Link, { to: { view: "decisions", id: decision.value.id } }, say("why.decision")),
        ),
        h("h2", null, say("why.evidence")),
        h(Evidence, { rows: factRows(decision.value.evidence) }),
        h("h2", null, say("why.considered")),
        h(Considered, { kind: "lamp", alternatives: decision.value.alternatives }),
      ),
    h("h2", null, say("street.lamps")),
    h(
      "ul",
      { class: "rows" },
      mine.map((place) =>
        h(
          "li",
          { key: place.id },
          h(
            "button",
            { type: "button", class: "row", onClick: () => ask(place.id) },
            h("span", { class: "title" }, place.id),
            h("span", { class: "side" }, percent(lamps.get(place.id)?.level ?? 0)),
          ),
        ),
      ),
    ),
  );
}

/** The service whose hue a thing wears. */
export function serviceOf(kind: string | undefined): "lighting" | "waste" | "traffic" | "environment" {
  if (kind === "luminaire" || kind === "street" || kind === "presence" || kind === "meter") return "lighting";
  if (kind === "container" || kind === "depot" || kind === "tipping-site") return "waste";
  if (kind === "junction" || kind === "loop" || kind === "camera" || kind === "button") return "traffic";
  return "environment";
}

/** The drawer that the address asks for. */
export function DrawerOfAddress(): ComponentChildren {
  const { why } = useCell(here);
  return why === undefined ? null : h(Drawer, { id: why, key: why });
}
