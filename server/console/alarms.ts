import { h } from "preact";
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Alarm } from "../api/resources.ts";
import { attempt, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { useCell } from "./cell.ts";
import { age, dayTime, when } from "./format.ts";
import { say } from "./language.ts";
import { called } from "./places.ts";
import { Problem } from "./resource.ts";
import { ask, go, here, Link } from "./route.ts";
import { alarms, mayAct, said, session, townTime, withEntry } from "./state.ts";

const STATES = ["open", "acknowledged", "in-progress", "resolved", "closed"] as const;

/** Alarms by state, one row a cause; the address with an id shows one of them whole. */
export function AlarmsView(): ComponentChild {
  const route = useCell(here);
  const all = useCell(alarms);
  const [state, choose] = useState<(typeof STATES)[number] | "wanting">("wanting");
  if (route.id !== undefined) {
    const alarm = all.find((each) => each.id === route.id);
    return alarm === undefined
      ? h("p", { class: "empty" }, say("alarms.absent", { id: route.id }))
      : h(AlarmWhole, { alarm, key: alarm.id });
  }
  const fits = (alarm: Alarm): boolean =>
    state === "wanting" ? alarm.state !== "resolved" && alarm.state !== "closed" : alarm.state === state;
  const shown = all.filter(fits);
  return h(
    "div",
    null,
    h("div", { class: "head" }, h("h1", null, say("view.alarms"))),
    h(
      "fieldset",
      { class: "choices" },
      h("legend", { class: "apart" }, say("alarms.by-state")),
      (["wanting", ...STATES] as const).map((each) =>
        h(
          "label",
          { key: each },
          h("input", { type: "radio", name: "state", checked: each === state, onChange: () => choose(each) }),
          h(
            "span",
            null,
            `${say(`alarms.${each}`)}${each === "wanting" ? "" : ` ${all.filter((alarm) => alarm.state === each).length}`}`,
          ),
        ),
      ),
    ),
    shown.length === 0
      ? h("p", { class: "empty" }, say(state === "wanting" ? "alarms.none-wanting" : "alarms.none"))
      : h(
          "ul",
          { class: "rows wanted spaced" },
          shown.map((alarm) => h("li", { key: alarm.id }, h(AlarmRow, { alarm }))),
        ),
  );
}

/** One cause in one line: the whole sentence, how grave, since when, in whose hands. */
export function AlarmRow(props: { readonly alarm: Alarm }): ComponentChild {
  const { alarm } = props;
  const rest = [say(`alarms.${alarm.state}`), say("alarms.since", { time: when(alarm.since, townTime()) })];
  if (alarm.owner !== null) rest.push(alarm.owner);
  if (alarm.devices.length > 1) rest.push(say("alarms.devices", { n: alarm.devices.length }));
  return h(
    Link,
    { to: { view: "alarms", id: alarm.id }, class: `row alarm ${alarm.severity}` },
    h("span", { class: "title" }, alarm.sentence),
    h(
      "span",
      { class: "side" },
      h("span", { class: `tag ${alarm.severity === "minor" ? "" : "hue"}` }, say(`severity.${alarm.severity}`)),
    ),
    h("span", { class: "under" }, rest.join(" · ")),
  );
}

function AlarmWhole(props: { readonly alarm: Alarm }): ComponentChild {
  const { alarm } = props;
  const who = useCell(session);
  const [note, write] = useState("");
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  const change = (what: { state?: Alarm["state"]; note?: string; owner?: string | null }): void => {
    const body = { ...what, ...(note.trim() !== "" && { note: note.trim() }) };
    void attempt(async () => {
      const changed = await send<Alarm>("PATCH", `/alarms/${encodeURIComponent(alarm.id)}`, body);
      alarms.change((all) => withEntry(all, changed));
      write("");
      refused(undefined);
      said.set(say("alarms.changed", { state: say(`alarms.${changed.state}`) }));
    }, refused);
  };
  const name = who?.account ?? null;
  return h(
    "article",
    { class: alarm.severity === "minor" ? "" : "wanted" },
    h(Link, { to: { view: "alarms" }, class: "button bare back" }, `← ${say("view.alarms")}`),
    h(
      "p",
      { class: "small" },
      h("span", { class: "tag hue" }, say(`severity.${alarm.severity}`)),
      " ",
      h("span", { class: "tag" }, say(`alarms.${alarm.state}`)),
    ),
    h("h1", { class: "sentence" }, alarm.sentence),
    h(
      "p",
      { class: "quiet" },
      `${say("alarms.since", { time: dayTime(alarm.since) })} · ${age(alarm.since, townTime())}${alarm.owner === null ? "" : ` · ${say("alarms.owner", { owner: alarm.owner })}`}`,
    ),
    mayAct(who) &&
      h(
        "section",
        null,
        h(
          "label",
          { class: "field" },
          h("span", null, say("alarms.note")),
          h("textarea", {
            class: "input",
            maxLength: 1000,
            value: note,
            onInput: (event: Event) => write((event.target as HTMLTextAreaElement).value),
          }),
        ),
        h(
          "div",
          { class: "buttons" },
          steps(alarm).map((state, index) =>
            h(
              "button",
              {
                type: "button",
                key: state,
                class: index === 0 ? "button main" : "button",
                onClick: () =>
                  change({ state, ...((state === "acknowledged" || state === "in-progress") && { owner: name }) }),
              },
              say(`alarms.to.${state}`),
            ),
          ),
          h(
            "button",
            { type: "button", class: "button", disabled: note.trim() === "", onClick: () => change({}) },
            say("alarms.add-note"),
          ),
        ),
        refusal !== undefined && h(Problem, { refusal }),
      ),
    (alarm.devices.length > 0 || alarm.subject !== "") &&
      h(
        "section",
        null,
        h("h2", null, say("alarms.about")),
        h(
          "ul",
          { class: "rows" },
          (alarm.devices.length > 0 ? alarm.devices : [alarm.subject])
            .slice(0, 50)
            .map((device) =>
              h(
                "li",
                { key: device },
                h(
                  "button",
                  { type: "button", class: "row", onClick: () => ask(device) },
                  h("span", { class: "title" }, called(device)),
                  h("span", { class: "side quiet" }, say("why.open")),
                ),
              ),
            ),
        ),
      ),
    alarm.notes.length > 0 &&
      h(
        "section",
        null,
        h("h2", null, say("alarms.notes")),
        h(
          "ul",
          { class: "considered" },
          alarm.notes.map((each) =>
            h(
              "li",
              { key: `${each.at}${each.text}` },
              h("p", null, each.text),
              h("p", { class: "quiet small" }, `${each.author} · ${dayTime(each.at)}`),
            ),
          ),
        ),
      ),
    h(
      "p",
      { class: "buttons" },
      h("button", { type: "button", class: "button bare", onClick: () => go({ view: "alarms" }) }, say("page.back")),
    ),
  );
}

/** Where an alarm may go from here, forward first: nobody takes an alarm back more often than on. */
const steps = (alarm: Alarm): Alarm["state"][] =>
  [...alarm.next].sort((one, other) => Number(isBack(alarm, one)) - Number(isBack(alarm, other)));

const isBack = (alarm: Alarm, state: Alarm["state"]): boolean => STATES.indexOf(state) < STATES.indexOf(alarm.state);
