import { MISTAKE, mistake } from "./mistake.ts";
import { runTown, type TownOrder } from "./town.ts";

/** The simulated town as a process of its own: it meets the server over MQTT and nowhere else. */
process.once("message", (order: TownOrder) => {
  process.on("uncaughtException", (problem) => {
    mistake(problem, order.traces);
    process.exit(MISTAKE);
  });
  const stop = runTown(order);
  // Without the one who asked for it the town ends: two towns with the same stations would fight for their sessions.
  process.once("disconnect", () => {
    stop();
    process.exit(0);
  });
});
process.on("SIGINT", () => {});
