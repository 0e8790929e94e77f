import { h } from "preact";
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Override } from "../api/resources.ts";
import { attempt, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { useCell } from "./cell.ts";
import { duration, percent, when } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import { called, streetName } from "./places.ts";
import { Problem } from "./resource.ts";
import { ask } from "./route.ts";
import { mayAct, readOverrides, said, session, townTime } from "./state.ts";

/** An override is a handle with a clock on it: what, who, why, until when; one click gives it back. */
export function Handle(props: { readonly override: Override; readonly machine?: string }): ComponentChild {
  const { override } = props;
  const who = useCell(session);
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  const release = (): void => {
    void attempt(async () => {
      await send("DELETE", `/overrides/${encodeURIComponent(override.id)}`);
      await readOverrides();
      said.set(say("override.released", { what: scopeText(override) }));
    }, refused);
  };
  const left_s = (override.until - townTime()) / 1000;
  return h(
    "div",
    { class: "handle" },
    h(
      "p",
      null,
      h("strong", null, orderText(override)),
      " · ",
      h("button", { type: "button", class: "inline", onClick: () => ask(override.scope.id) }, scopeText(override)),
    ),
    h("p", null, `“${override.reason}”`),
    h(
      "p",
      { class: "quiet small" },
      say("override.by", { author: override.author, time: when(override.until, townTime()), left: duration(left_s) }),
    ),
    props.machine !== undefined && h("p", { class: "machine" }, say("override.machine", { value: props.machine })),
    mayAct(who) &&
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", class: "button", onClick: release }, say("override.release")),
      ),
    refusal !== undefined && h(Problem, { refusal }),
  );
}

const orderText = ({ order }: Override): string =>
  order.action === "lamp-override"
    ? say("override.level", { level: percent(order.level) })
    : sayNamed("mode", order.mode);

export function scopeText({ scope }: Override): string {
  if (scope.kind === "device") return called(scope.id);
  const name = scope.kind === "street" || scope.kind === "zone" ? streetName(scope.id) : scope.id;
  return say(`scope.${scope.kind}`, { name });
}
