import { h } from "preact";
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { History, Policy, PolicyChange } from "../api/resources.ts";
import { attempt, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { useCell } from "./cell.ts";
import { dayTime, percent } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import { placeName } from "./places.ts";
import { drawn, Problem, useResource } from "./resource.ts";
import { bar } from "./rounds.ts";
import { mayRule, session, stirred } from "./state.ts";

const MODES = ["shadow", "pilot", "general"] as const;
const SERVICE = { "lighting.programme": "lighting", "traffic.frame": "traffic", "waste.rounds": "waste" } as const;

/** Test small, then generalise: each policy's mode, where it acts, and what it saved so far. */
export function TrialsView(): ComponentChild {
  const stir = useCell(stirred);
  const policies = useResource<Policy[]>("/policies", stir.decisions, 60);
  return h(
    "div",
    null,
    h("div", { class: "head" }, h("h1", null, say("view.trials"))),
    h("p", { class: "quiet" }, say("trials.what")),
    drawn(policies, (all) =>
      all.map((policy) => h(Trial, { key: `${policy.name}${policy.changedAt}`, policy, again: policies.again })),
    ),
  );
}

const words = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

const field = (label: string, value: string, set: (value: string) => void): ComponentChild =>
  h(
    "label",
    { class: "field" },
    h("span", null, label),
    h("input", { class: "input", value, onInput: (event: Event) => set((event.target as HTMLInputElement).value) }),
  );

function Trial(props: { readonly policy: Policy; readonly again: () => void }): ComponentChild {
  const { policy } = props;
  const who = useCell(session);
  const [mode, choose] = useState(policy.mode);
  const [pilot, acting] = useState(policy.pilot.acting.join(" "));
  const [control, beside] = useState(policy.pilot.control.join(" "));
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  const submit = (event: Event): void => {
    event.preventDefault();
    const change: PolicyChange = {
      mode,
      ...(mode === "pilot" && { pilot: { acting: words(pilot), control: words(control) } }),
    };
    void attempt(async () => {
      await send<Policy>("PUT", `/policies/${policy.name}`, change);
      props.again();
    }, refused);
  };
  return h(
    "section",
    { class: `trial ${SERVICE[policy.name]}` },
    h(
      "h2",
      { class: "group-title" },
      h("span", null, say(`decision.${policy.name}`)),
      h("span", { class: "tag hue" }, say(`trial.${policy.mode}`)),
    ),
    h("p", null, say(`trial.${policy.mode}.means`)),
    policy.mode === "pilot" &&
      h(
        "p",
        { class: "quiet small" },
        say("trials.groups", {
          pilot: policy.pilot.acting.map(placeName).join(", ") || "—",
          control: policy.pilot.control.map(placeName).join(", ") || "—",
        }),
      ),
    h(
      "p",
      { class: "quiet small" },
      policy.changedAt === 0
        ? say("trials.untouched")
        : say("trials.by", { author: policy.changedBy, time: dayTime(policy.changedAt) }),
    ),
    policy.name === "lighting.programme" && h(Saving, null),
    mayRule(who) &&
      h(
        "details",
        null,
        h("summary", null, say("trials.change")),
        h(
          "form",
          { onSubmit: submit },
          h(
            "fieldset",
            { class: "choices" },
            h("legend", null, say("trials.mode")),
            MODES.map((each) =>
              h(
                "label",
                { key: each },
                h("input", {
                  type: "radio",
                  name: `mode-${policy.name}`,
                  checked: each === mode,
                  onChange: () => choose(each),
                }),
                h("span", null, say(`trial.${each}`)),
              ),
            ),
          ),
          mode === "pilot" && field(say("trials.pilot"), pilot, acting),
          mode === "pilot" && field(say("trials.control"), control, beside),
          h(
            "div",
            { class: "buttons" },
            h(
              "button",
              { type: "submit", class: "button main", disabled: mode === policy.mode && mode !== "pilot" },
              say("trials.confirm", { mode: say(`trial.${mode}`) }),
            ),
          ),
        ),
      ),
    refusal !== undefined && h(Problem, { refusal }),
    policy.name !== "lighting.programme" &&
      h("p", { class: "quiet small" }, sayNamed("trials.unmeasured", policy.name)),
  );
}

/** Energy of the last 24 hours against the same lamps at full output; what is not a comparison of groups says so. */
function Saving(): ComponentChild {
  const history = useResource<History>("/history?service=lighting", 0, 300);
  return h(
    "div",
    null,
    drawn(history, ({ series }) => {
      const sum = (name: string): number =>
        (series[name] ?? []).reduce<number>((total, each) => total + (each ?? 0), 0);
      const full = sum("fullNight_kWh");
      if (full <= 0) return h("p", { class: "quiet" }, say("trials.no-night"));
      const share = sum("energy_kWh") / full;
      return h(
        "div",
        null,
        bar(share),
        h("p", { class: "small" }, say("trials.saving", { share: percent(share), saving: percent(1 - share) })),
        h("p", { class: "quiet small" }, say("trials.no-interval")),
      );
    }),
  );
}
