import { layDownHistory, type HistoryOrder } from "#rehearsal/history.ts";

/** Runs as a process of its own, so that the page answers while the past is rehearsed: order in, progress out. */
process.once("message", (order: HistoryOrder) => {
  layDownHistory(order, (share) => process.send?.({ share })).then(
    () => process.disconnect?.(),
    (problem: unknown) => {
      process.send?.({ problem: (problem as Error).message });
      process.disconnect?.();
      process.exitCode = 1;
    },
  );
});
