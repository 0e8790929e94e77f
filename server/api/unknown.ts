import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";

/** Nobody looks at an empty page for longer. */
const PATIENCE = seconds(5);

/**
 * What the time-series store says; undefined while it does not answer or cannot. For what a page shows beside much else: that is
 * known without it, and an alarm says what is wrong.
 */
export async function orUnknown<Value>(asked: Promise<Value>, wall: Clock): Promise<Value | undefined> {
  const tired = Promise.withResolvers<undefined>();
  const cancel = wall.after(PATIENCE, () => tired.resolve(undefined));
  try {
    return await Promise.race([asked, tired.promise]);
  } catch (problem) {
    if (problem instanceof Fault && STORE.has(problem.code)) return undefined;
    throw problem;
  } finally {
    cancel();
  }
}

const STORE: ReadonlySet<string> = new Set(["STORE_UNREACHABLE", "STORE_REFUSED", "STORE_FAILED"]);
