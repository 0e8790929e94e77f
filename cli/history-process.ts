import { Fault } from "#protocol/faults.ts";
import { layDownHistory, type HistoryOrder } from "#rehearsal/history.ts";
import type { HistoryWord } from "./history.ts";

const say = (word: HistoryWord, then?: () => void): void => void process.send?.(word, undefined, undefined, then);

/** Runs as a process of its own, so that the page answers while the past is rehearsed: order in, progress out. */
process.once("message", (order: HistoryOrder) => {
  layDownHistory(order, (share) => say({ share })).then(() => process.exit(0), fail);
});
process.on("uncaughtException", fail);
// Without the one who asked for it nobody would take the past over.
process.once("disconnect", () => process.exit(0));
process.on("SIGINT", () => {});

function fail(problem: unknown): void {
  const { message, stack } = problem as Error;
  const word = { problem: message, ...(!(problem instanceof Fault) && stack !== undefined && { trace: stack }) };
  say(word, () => process.exit(1));
}
