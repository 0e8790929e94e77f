import { readConfig } from "#edge/config.ts";
import { startEdge } from "#edge/main.ts";
import { systemClock } from "#edge/ports/system.ts";
import { Fault } from "#protocol/faults.ts";
import { every } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import { untilStopped } from "./stopping.ts";
import type { Call } from "./verb.ts";
import { version } from "./version.ts";

export async function edge({ settings, terminal }: Call<"config">): Promise<number> {
  const { config: file } = settings;
  if (file === undefined) {
    throw new Fault("OPTION_INVALID", {
      option: "--config",
      found: "missing",
      expected: "the configuration of the station (JSON)",
      place: "the command line",
    });
  }
  const config = readConfig(file);
  const stopped = untilStopped();
  const agent = startEdge(config, version);
  const french = terminal.language === "fr";
  terminal.out(`Vigie ${version} · station ${config.station} → ${config.broker}`);
  const cancel = every(systemClock, seconds(60), () => {
    const { up, waiting } = agent.stats();
    const line = french ? (up ? "en ligne" : "hors ligne") : up ? "connected" : "not connected";
    terminal.out(`${line} · ${waiting} ${french ? "mesures en attente" : "readings waiting"}`);
  });
  await stopped;
  cancel();
  agent.stop();
  return 0;
}
