import { h } from "preact";
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Account, ApiKey, IssuedApiKey, Role } from "../api/resources.ts";
import { attempt, send } from "./api.ts";
import type { Refusal } from "./api.ts";
import { useCell } from "./cell.ts";
import { dayTime } from "./format.ts";
import { choose as chooseLanguage, say, useLanguage } from "./language.ts";
import { drawn, Problem, useResource } from "./resource.ts";
import { helping } from "./keys.ts";
import { mayRule, noticeSilence, readAlarms, session, town } from "./state.ts";

const ROLES = ["viewer", "operator", "administrator"] as const;

const leave = (): void => {
  send("DELETE", "/session").then(() => session.set(null), noticeSilence);
};

const choose = (language: "en" | "fr") => (): void => {
  chooseLanguage(language);
  // The server's own sentences come in the language they are asked for.
  readAlarms().catch(noticeSilence);
};

/** The language, who one is, and for administrators who may come in. */
export function SettingsView(): ComponentChild {
  const spoken = useLanguage();
  const who = useCell(session);
  const of = useCell(town);
  return h(
    "div",
    null,
    h("div", { class: "head" }, h("h1", null, say("view.settings"))),
    h(
      "fieldset",
      { class: "choices" },
      h("legend", null, say("settings.language")),
      (["en", "fr"] as const).map((each) =>
        h(
          "label",
          { key: each, lang: each },
          h("input", { type: "radio", name: "language", checked: each === spoken, onChange: choose(each) }),
          h("span", null, each === "en" ? "English" : "Français"),
        ),
      ),
    ),
    h("p", { class: "quiet small spaced" }, say("settings.theme")),
    h("h2", null, say("settings.you")),
    who !== null &&
      who !== undefined &&
      h("p", null, say("settings.account", { account: who.account, role: say(`role.${who.role}`) })),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "button", onClick: leave }, say("settings.leave")),
      h("button", { type: "button", class: "button", onClick: () => helping.set(true) }, say("keys.title")),
    ),
    mayRule(who) && h(Accounts, null),
    mayRule(who) && h(ApiKeys, null),
    of !== undefined &&
      h("p", { class: "quiet small spaced" }, [of.name, of.timeZone, of.attribution ?? ""].filter(Boolean).join(" · ")),
  );
}

function Accounts(): ComponentChild {
  const accounts = useResource<Account[]>("/accounts");
  const [name, call] = useState("");
  const [password, whisper] = useState("");
  const [role, appoint] = useState<Role>("operator");
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  const change = (method: "POST" | "DELETE", path: string, body?: unknown): void => {
    void attempt(async () => {
      await send(method, path, body);
      call("");
      whisper("");
      refused(undefined);
      accounts.again();
    }, refused);
  };
  return h(
    "section",
    null,
    h("h2", null, say("accounts.title")),
    drawn(accounts, (entries) =>
      h(
        "ul",
        { class: "rows" },
        entries.map((account) =>
          h(
            "li",
            { class: "row flat", key: account.name },
            h("span", { class: "title" }, `${account.name} · ${say(`role.${account.role}`)}`),
            h(
              "span",
              { class: "side" },
              account.name !== session.get()?.account &&
                remove(account.name, () => change("DELETE", `/accounts/${encodeURIComponent(account.name)}`)),
            ),
          ),
        ),
      ),
    ),
    h(
      "form",
      {
        onSubmit: (event: Event) => {
          event.preventDefault();
          change("POST", "/accounts", { name, role, password });
        },
      },
      input(say("sign-in.name"), name, call, "off"),
      input(say("accounts.password"), password, whisper, "new-password"),
      roles(role, appoint, "account"),
      h(
        "div",
        { class: "buttons" },
        h(
          "button",
          { type: "submit", class: "button", disabled: name === "" || password.length < 10 },
          say("accounts.add"),
        ),
      ),
    ),
    refusal !== undefined && h(Problem, { refusal }),
  );
}

function ApiKeys(): ComponentChild {
  const keys = useResource<ApiKey[]>("/api-keys");
  const [label, name] = useState("");
  const [role, appoint] = useState<Role>("viewer");
  const [issued, show] = useState<IssuedApiKey | undefined>(undefined);
  const [refusal, refused] = useState<Refusal | undefined>(undefined);
  return h(
    "section",
    null,
    h("h2", null, say("api-keys.title")),
    drawn(keys, (entries) =>
      entries.length === 0
        ? h("p", { class: "quiet" }, say("api-keys.none"))
        : h(
            "ul",
            { class: "rows" },
            entries.map((key) =>
              h(
                "li",
                { class: "row flat", key: key.id },
                h("span", { class: "title" }, `${key.label} · ${say(`role.${key.role}`)} · ${dayTime(key.created)}`),
                h(
                  "span",
                  { class: "side" },
                  remove(key.label, () => {
                    void attempt(async () => {
                      await send("DELETE", `/api-keys/${encodeURIComponent(key.id)}`);
                      keys.again();
                    }, refused);
                  }),
                ),
              ),
            ),
          ),
    ),
    issued !== undefined &&
      h(
        "div",
        { class: "handle", role: "status" },
        h("p", null, say("api-keys.once")),
        h("p", { class: "raw" }, issued.key),
      ),
    h(
      "form",
      {
        onSubmit: (event: Event) => {
          event.preventDefault();
          void attempt(async () => {
            show(await send<IssuedApiKey>("POST", "/api-keys", { label, role }));
            name("");
            keys.again();
          }, refused);
        },
      },
      input(say("api-keys.label"), label, name, "off"),
      roles(role, appoint, "key"),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "button", disabled: label.trim() === "" }, say("api-keys.add")),
      ),
    ),
    refusal !== undefined && h(Problem, { refusal }),
  );
}

function input(label: string, value: string, set: (value: string) => void, autocomplete: string): ComponentChild {
  const type = autocomplete === "new-password" ? "password" : "text";
  return h(
    "label",
    { class: "field" },
    h("span", null, label),
    h("input", {
      class: "input",
      type,
      autocomplete,
      value,
      onInput: (event: Event) => set((event.target as HTMLInputElement).value),
    }),
  );
}

function roles(role: Role, appoint: (role: Role) => void, name: string): ComponentChild {
  return h(
    "fieldset",
    { class: "choices field" },
    h("legend", null, say("accounts.role")),
    ROLES.map((each) =>
      h(
        "label",
        { key: each },
        h("input", { type: "radio", name: `role-${name}`, checked: each === role, onChange: () => appoint(each) }),
        h("span", null, say(`role.${each}`)),
      ),
    ),
  );
}

const remove = (what: string, act: () => unknown): ComponentChild =>
  h(
    "button",
    {
      type: "button",
      class: "button bare",
      "aria-label": `${say("accounts.remove")} ${what}`,
      onClick: () => void act(),
    },
    say("accounts.remove"),
  );
