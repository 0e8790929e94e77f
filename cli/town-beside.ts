import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { seconds } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import type { TownOrder } from "./town.ts";

export interface TownBeside {
  /** Resolves when its process has ended. */
  stop(): Promise<void>;
}

const RESTART_AFTER = seconds(2);

/**
 * The town as a process beside the server; when it dies it is started again, for a street does not end because a process
 * does. `ended` is told how it died.
 */
export function startTown(order: TownOrder, ended: (how: string) => void): TownBeside {
  let child: ChildProcess | undefined;
  let stopping = false;
  const launch = (): void => {
    child = fork(join(import.meta.dirname, "town-process.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.send(order);
    child.once("exit", (code, signal) => {
      if (stopping) return;
      ended(signal ?? String(code));
      systemClock.after(RESTART_AFTER, () => stopping || launch());
    });
  };
  launch();
  return {
    async stop() {
      stopping = true;
      const running = child;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const gone = new Promise((resolve) => running.once("exit", resolve));
      if (running.connected) running.disconnect();
      await gone;
    },
  };
}
