import type { StreamEventName, StreamEvents } from "../api/resources.ts";
import { API, attempt } from "./api.ts";
import {
  alarms,
  junctions,
  lamps,
  noticeSilence,
  now,
  overrides,
  readAlarms,
  readAll,
  said,
  session,
  setLamps,
  silentSince,
  stirred,
  townTime,
  withEntry,
} from "./state.ts";
import { here } from "./route.ts";
import { after } from "./pageClock.ts";

/** After the stream broke for good (the server answered no stream), it is opened again after this long. */
const AGAIN_ms = 3000;

/**
 * Follows the server's events. The browser itself resumes where it was (Last-Event-ID); when the server no longer knows
 * what was missed it says `reset` and everything is read again. Returns the function that ends it.
 */
export function followEvents(): () => void {
  let source: EventSource | undefined;
  let callOff: (() => void) | undefined;
  let broken = false;
  const open = (): void => {
    source = new EventSource(`${API}/events`);
    source.addEventListener("open", () => {
      // Who answers again as another process says `reset` besides, since it knows nothing of what was said before.
      if (broken) readAll().catch(noticeSilence);
      broken = false;
    });
    source.addEventListener("error", () => {
      broken = true;
      if (silentSince.get() === undefined) silentSince.set(townTime());
      if (source?.readyState !== EventSource.CLOSED) return;
      callOff = after(AGAIN_ms, () => {
        if (session.get() !== null) open();
      });
    });
    for (const name of Object.keys(TAKE) as StreamEventName[]) {
      source.addEventListener(name, (event) => take(name, (event as MessageEvent<string>).data));
    }
  };
  open();
  return () => {
    callOff?.();
    source?.close();
  };
}

/** What each event does to the state. */
const TAKE: { readonly [Name in StreamEventName]: (event: StreamEvents[Name]) => void } = {
  lamps(columns) {
    // While an earlier hour is replayed, the present waits.
    if (here.get().at === undefined) setLamps(columns);
  },
  junction: (junction) =>
    junctions.change((all) => withEntry(all, { ...all.find((each) => each.id === junction.id), ...junction })),
  alarm(alarm) {
    // The stream speaks the browser's language, the page perhaps another: the sentence is read, not taken over.
    const known = alarms.get().some((each) => each.id === alarm.id);
    void attempt(async () => {
      await readAlarms();
      const heard = alarms.get().find((each) => each.id === alarm.id);
      if (!known && heard?.state === "open") said.set(heard.sentence);
    }, noticeSilence);
  },
  override(override) {
    overrides.change((all) => withEntry(all, override).filter((each) => each.state === "active"));
    stirred.change((count) => ({ ...count, overrides: count.overrides + 1 }));
  },
  decision: () => stirred.change((count) => ({ ...count, decisions: count.decisions + 1 })),
  health: (health) => now.change((figures) => (figures === undefined ? figures : { ...figures, health })),
  progress(progress) {
    now.change((figures) => (figures === undefined ? figures : { ...figures, ...progress }));
    if (progress.state === "ready" && lamps.size === 0) readAll().catch(noticeSilence);
  },
  reset: readAnew,
};

function readAnew(): void {
  readAll().catch(noticeSilence);
  stirred.change((count) => ({ ...count, everything: count.everything + 1 }));
}

function take(name: StreamEventName, text: string): void {
  // The server is ours and of the same version: what it says under a name has that name's form.
  (TAKE[name] as (event: unknown) => void)(JSON.parse(text));
}
