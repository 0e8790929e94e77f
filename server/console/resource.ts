import { h } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { read, Refusal } from "./api.ts";
import { say } from "./language.ts";
import { every } from "./pageClock.ts";
import { noticeSilence } from "./state.ts";

/** A resource that one view reads for itself. While it is read again, what was known stays. */
export interface Resource<T> {
  readonly value: T | undefined;
  readonly refusal: Refusal | undefined;
  readonly again: () => void;
}

/** Reads `path`, again whenever it or `stir` changes and every `every_s` seconds while the page is visible. */
export function useResource<T>(path: string | undefined, stir: unknown = 0, every_s = 0): Resource<T> {
  const [answer, answered] = useState<{ path?: string | undefined; value?: T; refusal?: Refusal }>({});
  const [asked, askAgain] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const reading = new AbortController();
    read<T>(path, reading.signal).then(
      (value) => answered({ path, value }),
      (problem: unknown) => {
        if (reading.signal.aborted) return;
        noticeSilence(problem);
        answered((before) => ({ ...(before.path === path && before), path, refusal: problem as Refusal }));
      },
    );
    return () => reading.abort();
  }, [path, stir, asked]);
  useEffect(() => (every_s > 0 ? every(every_s * 1000, () => askAgain((count) => count + 1)) : undefined), [every_s]);
  const current = answer.path === path ? answer : {};
  return { value: current.value, refusal: current.refusal, again: () => askAgain((count) => count + 1) };
}

/** Draws a resource once it is there; before that a word, and after a refusal its sentence and a way on. */
export function drawn<T>(resource: Resource<T>, draw: (value: T) => ComponentChildren): ComponentChildren {
  if (resource.value !== undefined) return draw(resource.value);
  if (resource.refusal !== undefined) return h(Problem, { refusal: resource.refusal, again: resource.again });
  return h("p", { class: "empty", role: "status" }, say("page.loading"));
}

/** A refusal as a person reads it. */
export function Problem(props: { readonly refusal: Refusal; readonly again?: () => void }): ComponentChild {
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("p", null, props.refusal.message),
    props.again !== undefined &&
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", class: "button", onClick: props.again }, say("page.again")),
      ),
  );
}
