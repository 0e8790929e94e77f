import { createServer } from "node:net";
import { Fault } from "#protocol/faults.ts";

/** Raises Fault PORT_TAKEN when something listens there already, so that it is said before long work begins. */
export function freePort(port: number, host: string, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code }: NodeJS.ErrnoException) => {
      // Whatever else is wrong with the address, the broker will say when it listens.
      if (code === "EADDRINUSE") reject(new Fault("PORT_TAKEN", { port, host, option }));
      else resolve();
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
