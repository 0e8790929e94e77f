import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import type { Language } from "#protocol/faults.ts";
import { alarmSentence } from "../alarm-kinds.ts";
import type { Alarm as KeptAlarm } from "../alarms.ts";
import { TRANSITIONS } from "../alarms.ts";
import type { ApiContext } from "./context.ts";
import { callerIn } from "./entrance.ts";
import { languageOf } from "./language.ts";
import { numberOf, pageBelow } from "./pages.ts";
import { ALARM_STATES, Alarm, AlarmChange, Id, Paging, pageOf } from "./resources.ts";

/** /alarms: what wants a person, newest first, and what a person did about it. */
export const alarms =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      "/alarms",
      {
        schema: {
          tags: ["alarms"],
          summary: "Alarms, newest first; without `state` all but the closed ones",
          querystring: Type.Object({
            state: Type.Optional(
              Type.String({ maxLength: 60, description: "one state, or several with commas between" }),
            ),
            ...Paging,
          }),
          response: { 200: pageOf(Alarm) },
        },
      },
      async ({ query, headers }) => {
        const language = languageOf(headers["accept-language"]);
        const asked = query.state?.split(",");
        const states = ALARM_STATES.filter((state) =>
          asked === undefined ? state !== "closed" : asked.includes(state),
        );
        if (states.length === 0) return { entries: [], next: null };
        return pageBelow(
          query,
          (limit, before) => context.parts().alarms.list(states, limit, before),
          (alarm) => alarmOf(alarm, language),
        );
      },
    );

    app.patch(
      "/alarms/:id",
      {
        config: { role: "operator" },
        schema: {
          tags: ["alarms"],
          summary: "Take it, note something, resolve or close it",
          params: Type.Object({ id: Id }),
          body: AlarmChange,
          response: { 200: Alarm },
        },
      },
      (request) => {
        const id = numberOf(request.params.id, "alarm");
        const changed = context.parts().alarms.act(id, request.body, callerIn(request).account);
        return alarmOf(changed, languageOf(request.headers["accept-language"]));
      },
    );
  };

/** An alarm with its whole sentence in a language. */
export function alarmOf(alarm: KeptAlarm, language: Language): Alarm {
  return {
    id: String(alarm.id),
    key: alarm.key,
    facts: { ...alarm.facts },
    sentence: alarmSentence(alarm, language),
    severity: alarm.severity,
    state: alarm.state,
    subject: alarm.subject,
    devices: [...alarm.devices],
    owner: alarm.owner ?? null,
    since: alarm.raisedAt,
    changed: alarm.updatedAt,
    cleared: alarm.clearedAt ?? null,
    next: [...TRANSITIONS[alarm.state]],
    count: alarm.count,
    notes: alarm.notes.map((note) => ({ ...note })),
  };
}
