import type { State } from "./state.ts";

/** What a rehearsed past brings along; people and their keys stay those of this server. */
const ADOPTED = ["documents", "journal", "alarms", "overrides", "policies", "device_groups", "intents", "sequences"];

/** Takes over the decisions, alarms and commands of a rehearsed past, all or nothing, in place of what is there. */
export function adoptHistory(state: State, file: string): void {
  state.run("ATTACH DATABASE ? AS history", file);
  try {
    state.transaction(() => {
      for (const table of ADOPTED) {
        state.run(`DELETE FROM main.${table}`);
        state.run(`INSERT INTO main.${table} SELECT * FROM history.${table}`);
      }
    });
  } finally {
    state.run("DETACH DATABASE history");
  }
}
