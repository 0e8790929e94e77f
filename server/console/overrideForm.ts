import { h } from "preact";
import type { ComponentChild } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { NewOverride, Override } from "../api/resources.ts";
import { attempt, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { duration, percent, when } from "./format.ts";
import { say } from "./language.ts";
import { places, streetName } from "./places.ts";
import { Problem } from "./resource.ts";
import { readOverrides, said, townTime } from "./state.ts";

const LEVELS = [1, 0.8, 0.5, 0.3, 0.1] as const;
const MODES = ["frame", "fixed", "flash"] as const;
const LENGTHS_s = [900, 3600, 3 * 3600, 12 * 3600] as const;

/** Taking over: what, where, for how long, and one sentence why. Everything but the sentence is already chosen. */
export function OverrideForm(props: {
  readonly id: string;
  readonly kind: string;
  readonly done: () => void;
}): ComponentChild {
  const scopes = scopesOf(props.id, props.kind);
  const [scope, choose] = useState(0);
  const [level, dim] = useState<number>(1);
  const [mode, run] = useState<(typeof MODES)[number]>("fixed");
  const [length_s, hold] = useState<number>(3600);
  const [reason, write] = useState("");
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  const [sending, busy] = useState(false);
  const sentence = useRef<HTMLInputElement>(null);
  // Before anything is painted: who types at once loses no letter.
  useLayoutEffect(() => sentence.current?.focus(), []);
  const until = townTime() + length_s * 1000;

  const submit = (event: Event): void => {
    event.preventDefault();
    const chosen = scopes[scope];
    if (chosen === undefined) return;
    busy(true);
    const order: NewOverride["order"] =
      props.kind === "junction" ? { action: "signal-override", mode } : { action: "lamp-override", level };
    const body: NewOverride = {
      scope: { kind: chosen.kind, id: chosen.id },
      order,
      reason: reason.trim(),
      until: Math.round(until),
    };
    const give = async (): Promise<void> => {
      await send<Override>("POST", "/overrides", body);
      await readOverrides();
      said.set(say("override.taken"));
      props.done();
    };
    void attempt(give, (refusal) => {
      busy(false);
      refused(refusal);
    });
  };

  return h(
    "form",
    { class: "override", onSubmit: submit },
    h("h2", null, say("override.title")),
    props.kind === "junction"
      ? choices(
          "mode",
          say("override.mode"),
          MODES.map((each) => [say(`mode.${each}`), each === mode, () => run(each)]),
        )
      : choices(
          "level",
          say("override.level-label"),
          LEVELS.map((each) => [percent(each), each === level, () => dim(each)]),
        ),
    scopes.length > 1 &&
      choices(
        "scope",
        say("override.where"),
        scopes.map((each, index) => [each.label, index === scope, () => choose(index)]),
      ),
    choices(
      "length",
      say("override.how-long"),
      LENGTHS_s.map((each) => [duration(each), each === length_s, () => hold(each)]),
    ),
    h(
      "label",
      { class: "field" },
      h("span", null, say("override.reason")),
      h("input", {
        class: "input",
        ref: sentence,
        required: true,
        maxLength: 300,
        value: reason,
        onInput: (event: Event) => write((event.target as HTMLInputElement).value),
      }),
    ),
    h("p", { class: "quiet small spaced" }, say("override.effect", { time: when(until, townTime()) })),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        { type: "submit", class: "button main", disabled: sending || reason.trim() === "" },
        say("override.confirm", { length: duration(length_s) }),
      ),
      h("button", { type: "button", class: "button", onClick: props.done }, say("override.cancel")),
    ),
    refusal !== undefined && h(Problem, { refusal }),
  );
}

type Choice = readonly [label: string, chosen: boolean, choose: () => void];

function choices(name: string, legend: string, all: readonly Choice[]): ComponentChild {
  return h(
    "fieldset",
    { class: "choices field" },
    h("legend", null, legend),
    all.map(([label, chosen, choose]) =>
      h(
        "label",
        { key: label },
        h("input", { type: "radio", name: `override-${name}`, checked: chosen, onChange: choose }),
        h("span", null, label),
      ),
    ),
  );
}

interface Scope {
  readonly kind: Override["scope"]["kind"];
  readonly id: string;
  readonly label: string;
}

function scopesOf(id: string, kind: string): readonly Scope[] {
  if (kind === "street") return [{ kind: "street", id, label: streetName(id) }];
  if (kind === "zone") return [{ kind: "zone", id, label: streetName(id) }];
  const own: Scope = { kind: "device", id, label: say("scope.this", { id }) };
  const place = places().get(id);
  if (kind !== "luminaire" || place?.street === undefined) return [own];
  const scopes: Scope[] = [
    own,
    { kind: "street", id: place.street, label: say("scope.street", { name: streetName(place.street) }) },
  ];
  const feeder = place.feeder;
  return feeder === undefined
    ? scopes
    : [...scopes, { kind: "group", id: feeder, label: say("scope.group", { name: feeder }) }];
}
