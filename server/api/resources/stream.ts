import type { Override } from "./devices.ts";
import type { Alarm } from "./people.ts";
import type { DecisionEntry, Junction } from "./services.ts";
import type { LampLevels, Now } from "./town.ts";

/**
 * What GET /api/v1/events says: `event:` is the key here, `data:` the value as JSON, `id:` a number that a browser sends
 * back as Last-Event-ID to go on where it was.
 */
export interface StreamEvents {
  /** Only the lamps that changed since the last one; at most five a second. */
  readonly lamps: LampLevels;
  readonly junction: Junction;
  readonly alarm: Alarm;
  readonly override: Override;
  readonly decision: DecisionEntry;
  /** Once when something changed, at most every five seconds. */
  readonly health: Now["health"];
  /** While history is laid down. */
  readonly progress: { readonly state: "ready" | "preparing"; readonly progress: number };
  /** What was missed is no longer known: read everything again. */
  readonly reset: Record<string, never>;
}
export type StreamEventName = keyof StreamEvents;
