import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Session } from "../api/resources.ts";
import { attempt, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { say } from "./language.ts";
import { Problem } from "./resource.ts";
import { here } from "./route.ts";
import { session } from "./state.ts";

const value = (event: Event): string => (event.target as HTMLInputElement).value;

/** The door: a name and a password, or the one-time link that the terminal printed. */
export function SignInView(): ComponentChild {
  const [name, call] = useState("");
  const [password, whisper] = useState("");
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  const enter = (proof: unknown): void => {
    void attempt(async () => {
      const opened = await send<Session>("POST", "/session", proof);
      if (here.get().view === "sign-in") {
        history.replaceState(null, "", "/");
        here.set({ view: "now" });
      }
      session.set(opened);
    }, refused);
  };
  useEffect(() => {
    const token = location.hash.slice(1);
    if (here.get().view !== "sign-in" || token === "") return;
    // The token leaves the address at once: it works once, and a history is read by others.
    history.replaceState(null, "", "/sign-in");
    enter({ token });
  }, []);
  return h(
    "main",
    { class: "door", id: "content" },
    h(
      "form",
      {
        onSubmit: (event: Event) => {
          event.preventDefault();
          enter({ name, password });
        },
      },
      h("img", { src: "/console/icon.svg", alt: "" }),
      h("h1", null, "Vigie"),
      h("p", { class: "quiet" }, say("sign-in.what")),
      refusal !== undefined && h(Problem, { refusal }),
      h(
        "label",
        { class: "field" },
        h("span", null, say("sign-in.name")),
        h("input", {
          class: "input",
          autocomplete: "username",
          required: true,
          value: name,
          onInput: (event: Event) => call(value(event)),
        }),
      ),
      h(
        "label",
        { class: "field" },
        h("span", null, say("sign-in.password")),
        h("input", {
          class: "input",
          type: "password",
          autocomplete: "current-password",
          required: true,
          value: password,
          onInput: (event: Event) => whisper(value(event)),
        }),
      ),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "button main" }, say("sign-in.enter"))),
      h("p", { class: "quiet small spaced" }, say("sign-in.link")),
    ),
  );
}
