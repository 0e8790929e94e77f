import { h } from "preact";
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { DecisionDetail, DecisionEntry, Page, Replay, Verification } from "../api/resources.ts";
import { query, read, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { useCell } from "./cell.ts";
import { Considered, Evidence } from "./drawer.ts";
import { factRows, orderText, ruleSentence } from "./explain.ts";
import { dayTime, number, when } from "./format.ts";
import { say, sayNamed } from "./language.ts";
import { called } from "./places.ts";
import { drawn, Problem, useResource } from "./resource.ts";
import { here, Link } from "./route.ts";
import { stirred, townTime } from "./state.ts";

const NAMES = [
  "lighting.programme",
  "traffic.frame",
  "waste.rounds",
  "override.create",
  "override.release",
  "override.expire",
  "policy.change",
] as const;
const MODES = ["general", "pilot", "shadow", "hand"] as const;

/** The journal, newest first; with an id, one decision whole. */
export function DecisionsView(): ComponentChild {
  const route = useCell(here);
  return route.id === undefined ? h(Journal, null) : h(DecisionWhole, { id: route.id, key: route.id });
}

function Journal(): ComponentChild {
  const stir = useCell(stirred);
  const [name, choose] = useState("");
  const [mode, inMode] = useState("");
  const [subject, about] = useState("");
  const [older, add] = useState<readonly DecisionEntry[]>([]);
  const [cursor, continueFrom] = useState<string | null | undefined>(undefined);
  const asked = { name, mode, subject: subject.trim(), limit: 50 };
  const page = useResource<Page<DecisionEntry>>(
    query("/decisions", asked),
    older.length === 0 ? stir.decisions + stir.everything : "held",
  );
  const [verified, verify] = useState<Verification | Refusal | undefined>(undefined);
  const start = (change: () => void) => (): void => {
    add([]);
    continueFrom(undefined);
    change();
  };
  const readOlder = async (from: string): Promise<void> => {
    const more = await read<Page<DecisionEntry>>(query("/decisions", { ...asked, cursor: from }));
    add([...older, ...more.entries]);
    continueFrom(more.next);
  };
  return h(
    "div",
    null,
    h(
      "div",
      { class: "head" },
      h("h1", null, say("view.decisions")),
      h(
        "button",
        {
          type: "button",
          class: "button",
          onClick: () =>
            void read<Verification>("/decisions/verify").then(verify, (problem: unknown) => verify(problem as Refusal)),
        },
        say("decisions.verify"),
      ),
    ),
    verified !== undefined && h("p", { class: "spaced", role: "status" }, verification(verified)),
    h(
      "div",
      { class: "filters" },
      select(
        say("decisions.name"),
        say("decisions.any-name"),
        name,
        NAMES.map((each) => [each, say(`decision.${each}`)]),
        (value) => start(() => choose(value))(),
      ),
      select(
        say("decisions.mode"),
        say("decisions.any-mode"),
        mode,
        MODES.map((each) => [each, say(`trial.${each}`)]),
        (value) => start(() => inMode(value))(),
      ),
      h("input", {
        class: "input",
        type: "search",
        "aria-label": say("decisions.subject"),
        placeholder: say("decisions.subject"),
        value: subject,
        onChange: (event: Event) => start(() => about(valueOf(event)))(),
      }),
    ),
    drawn(page, ({ entries, next }) => {
      const all = [...entries, ...older];
      const from = cursor === undefined ? next : cursor;
      return h(
        "div",
        null,
        all.length === 0 && h("p", { class: "empty" }, say("decisions.none")),
        h(
          "ul",
          { class: "rows" },
          all.map((entry) => h("li", { key: entry.id }, h(DecisionRow, { entry }))),
        ),
        from !== null &&
          h(
            "div",
            { class: "buttons" },
            h(
              "button",
              {
                type: "button",
                class: "button",
                onClick: () => void readOlder(from),
              },
              say("page.older"),
            ),
          ),
      );
    }),
  );
}

const valueOf = (event: Event): string => (event.target as HTMLInputElement).value;

function verification(verified: Verification | Refusal): string {
  if ("message" in verified) return verified.message;
  return verified.whole
    ? say("decisions.whole", { entries: number(verified.entries), head: verified.head.slice(0, 12) })
    : say("decisions.broken", { problem: verified.problem ?? "" });
}

function select(
  label: string,
  any: string,
  value: string,
  options: readonly (readonly [string, string])[],
  choose: (value: string) => void,
): ComponentChild {
  return h(
    "select",
    {
      class: "input",
      "aria-label": label,
      value,
      onChange: (event: Event) => choose((event.target as HTMLSelectElement).value),
    },
    h("option", { value: "" }, any),
    options.map(([key, text]) => h("option", { key, value: key }, text)),
  );
}

function DecisionRow(props: { readonly entry: DecisionEntry }): ComponentChild {
  const { entry } = props;
  return h(
    Link,
    { to: { view: "decisions", id: entry.id }, class: "row" },
    h("span", { class: "title" }, `${sayNamed("decision", entry.name)} · ${called(entry.subject)}`),
    h("span", { class: "side quiet" }, when(entry.at, townTime())),
    h(
      "span",
      { class: "under" },
      [
        sayNamed("short", entry.because),
        sayNamed("trial", entry.mode),
        entry.acted ? "" : say("decisions.not-acted"),
        entry.author ?? "",
      ]
        .filter(Boolean)
        .join(" · "),
    ),
  );
}

function DecisionWhole(props: { readonly id: string }): ComponentChild {
  const decision = useResource<DecisionDetail>(`/decisions/${encodeURIComponent(props.id)}`);
  const [again, computed] = useState<Replay | Refusal | undefined>(undefined);
  const replay = (): void => {
    send<Replay>("POST", `/decisions/${encodeURIComponent(props.id)}/replay`).then(computed, (problem: unknown) =>
      computed(problem as Refusal),
    );
  };
  return h(
    "div",
    null,
    h(Link, { to: { view: "decisions" }, class: "button bare back" }, `← ${say("view.decisions")}`),
    drawn(decision, (given) => {
      const { evidence, alternatives } = given;
      return h(
        "article",
        null,
        h("h1", null, `${sayNamed("decision", given.name)} · ${called(given.subject)}`),
        h(
          "p",
          { class: "quiet" },
          [
            dayTime(given.at),
            sayNamed("trial", given.mode),
            given.acted ? say("decisions.acted") : say("decisions.not-acted"),
            given.author ?? "",
          ]
            .filter(Boolean)
            .join(" · "),
        ),
        h("p", { class: "lead spaced" }, ruleSentence(given.because, evidence)),
        given.value !== null && typeof given.value === "object" && h("p", null, orderText(asRecord(given.value))),
        h("p", { class: "quiet small" }, say("decisions.valid", { time: dayTime(given.validUntil) })),
        h("h2", null, say("why.evidence")),
        h(Evidence, { rows: factRows(evidence) }),
        alternatives.length > 0 && h("h2", null, say("why.considered")),
        h(Considered, { kind: "", alternatives }),
        given.replayable &&
          h(
            "div",
            { class: "buttons" },
            h("button", { type: "button", class: "button main", onClick: replay }, say("decisions.replay")),
          ),
        again !== undefined &&
          ("message" in again
            ? h(Problem, { refusal: again })
            : h("p", { class: "spaced", role: "status" }, say(again.same ? "decisions.same" : "decisions.differs"))),
        h(
          "details",
          { class: "spaced" },
          h("summary", null, say("decisions.recorded")),
          h(
            "pre",
            { class: "raw", tabIndex: 0 },
            JSON.stringify({ value: given.value, inputs: given.inputs }, null, 2).slice(0, 20_000),
          ),
        ),
        h(
          "p",
          { class: "quiet small mono" },
          say("decisions.chain", { hash: given.hash.slice(0, 16), previous: given.previous.slice(0, 16) }),
        ),
      );
    }),
  );
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
