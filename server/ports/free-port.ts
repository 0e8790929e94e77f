import { createServer } from "node:net";
import { Fault } from "#protocol/faults.ts";

/** Why nothing can listen there, for whoever chose the address: Fault PORT_TAKEN or OPTION_INVALID; undefined: no such reason. */
export function listenFault(problem: unknown, port: number, host: string, option: string): Fault | undefined {
  const wrong = (name: string, found: string | number, expected: string): Fault =>
    new Fault("OPTION_INVALID", { option: name, found, expected, place: "the settings" });
  switch ((problem as NodeJS.ErrnoException).code ?? "") {
    case "EADDRINUSE":
      return new Fault("PORT_TAKEN", { port, host, option });
    case "EACCES":
      return wrong(option, port, "a port that this user may listen on, such as one above 1023");
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return wrong(option.replace("port", "host"), host, "an address of this machine, such as 127.0.0.1");
    default:
      return undefined;
  }
}

/** Raises Fault PORT_TAKEN or OPTION_INVALID when nothing can listen there, so that it is said before long work begins. */
export function freePort(port: number, host: string, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (problem) => {
      // Whatever else is wrong with the address, the broker will say when it listens.
      const fault = listenFault(problem, port, host, option);
      if (fault === undefined) resolve();
      else reject(fault);
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
