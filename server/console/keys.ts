import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { cell, useCell } from "./cell.ts";
import { say } from "./language.ts";
import { ask, go, here, NUMBERED } from "./route.ts";
import { showTown } from "./townPane.ts";

/** Whether the help on keys is open. */
export const helping = cell(false);

/** Everything by keyboard; keys are letters only where nobody writes. Returns the function that ends it. */
export function followKeys(): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave();
    if (isWriting(event.target)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (step(event.target, event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
      return;
    }
    const act = KEYS[event.key] ?? numbered(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}

const KEYS: Readonly<Record<string, () => void>> = {
  "?": () => helping.set(true),
  l: () => showTown("list"),
  m: () => showTown("map"),
  "/": () => {
    if (document.querySelector('[data-key="search"]') === null) showTown("list");
    // The list is drawn in the microtask before this one: what is typed next goes into the field, letter by letter.
    queueMicrotask(() => focusOn("search"));
  },
  o: () => click("override"),
  w: () => click("why"),
};

function numbered(key: string): (() => void) | undefined {
  const view = NUMBERED[Number(key) - 1];
  return view === undefined ? undefined : () => go({ view });
}

const found = (key: string): HTMLElement | null => document.querySelector<HTMLElement>(`[data-key="${key}"]`);
const focusOn = (key: string): void => found(key)?.focus();
const click = (key: string): void => found(key)?.click();

function leave(): void {
  if (helping.get()) helping.set(false);
  else if (here.get().why !== undefined) {
    const { why } = here.get();
    ask(undefined);
    // Who came from a row goes back to it.
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-row="${CSS.escape(why ?? "")}"]`)?.focus());
  }
}

/** Moves the focus to the next or previous row of the list it is in. */
function step(from: EventTarget | null, by: 1 | -1): boolean {
  if (!(from instanceof HTMLElement) || !from.matches(".row")) return false;
  const rows = [...document.querySelectorAll<HTMLElement>(".row")].filter(
    (row) => row.checkVisibility() && !row.matches(".flat"),
  );
  const next = rows[rows.indexOf(from) + by];
  next?.focus();
  return next !== undefined;
}

const isWriting = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches("input:not([type=radio]):not([type=range]), textarea, select");

/** The help on keys, over everything. */
export function KeysHelp(): ComponentChild {
  const open = useCell(helping);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const rows = [
    ["1–8", "keys.view"],
    ["m  l", "keys.list"],
    ["/", "keys.search"],
    ["↑  ↓", "keys.move"],
    ["w", "keys.why"],
    ["o", "keys.override"],
    ["Esc", "keys.close"],
    ["?", "keys.help"],
  ] as const;
  return h(
    "dialog",
    { ref: dialog, "aria-labelledby": "keys-title", onClose: () => helping.set(false) },
    h(
      "div",
      { class: "head" },
      h("h2", { id: "keys-title" }, say("keys.title")),
      h("button", { type: "button", class: "button", onClick: () => helping.set(false) }, say("page.close")),
    ),
    h(
      "dl",
      { class: "facts" },
      rows.flatMap(([key, word]) => [
        h("dt", null, say(word)),
        h(
          "dd",
          null,
          key.split("  ").map((each) => h("kbd", { key: each }, each)),
        ),
      ]),
    ),
  );
}
