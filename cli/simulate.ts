import { Fault } from "#protocol/faults.ts";
import { object, text, type Shape } from "#protocol/shape.ts";
import { FILES } from "#server/main.ts";
import { keysIn } from "#server/ports/keys.ts";
import { join } from "node:path";
import { readTown, townAt } from "./territory.ts";
import { credentialsOf, type StationCredentials } from "./credentials.ts";
import { tracesIn } from "./mistake.ts";
import { runTown, type TownOrder } from "./town.ts";
import { townTime } from "./town-clock.ts";
import { untilStopped } from "./stopping.ts";
import type { Call } from "./verb.ts";

/** The simulated town alone, against any MQTT broker, until it is stopped. */
export async function simulate({
  settings,
  terminal,
  sources,
}: Call<"broker" | "territory" | "seed" | "speed" | "data" | "credentials">): Promise<number> {
  const { broker, territory, credentials } = settings;
  for (const [option, value] of Object.entries({ broker, territory })) {
    if (value === undefined) throw missing(option);
  }
  const town = readTown(territory as string);
  const order: TownOrder = {
    broker: broker as string,
    territory: territory as string,
    directory: settings.data,
    seed: settings.seed,
    time: townTime(settings.speed, join(settings.data, "clock")),
    credentials: credentials === undefined ? NO_CREDENTIALS : readCredentials(credentials, sources.readFile),
    traces: tracesIn(settings.data),
  };
  const stop = runTown(order, town);
  terminal.say(`${town.territory.name}: ${town.territory.stations.length} stations → ${broker}`);
  await untilStopped();
  stop();
  return 0;
}

/** A broker that lets everyone in needs no passwords; commands, however, are obeyed from nobody then. */
const NO_CREDENTIALS: StationCredentials = { publicKeyPem: "", passwords: {} };

const missing = (option: string): Fault =>
  new Fault("OPTION_INVALID", {
    option: `--${option}`,
    found: "missing",
    expected: "a value",
    place: "the command line",
  });

/** Passwords of the stations and the public key of the server, as JSON. */
export function stations({ settings, terminal }: Call<"data" | "territory" | "seed">): number {
  const { territory } = townAt(settings.territory, join(settings.data, "territory.geojson"), settings.seed);
  const { secret, publicKeyPem } = keysIn(join(settings.data, FILES.keys));
  terminal.out(JSON.stringify(credentialsOf(territory, secret, publicKeyPem), undefined, 2));
  return 0;
}

function readCredentials(file: string, readFile: (name: string) => string): StationCredentials {
  const passwords: Shape<Record<string, string>> = {
    schema: { type: "object", additionalProperties: { type: "string" } },
    parse: (value) =>
      Object.fromEntries(Object.entries(value as object).map(([id, each]) => [id, text(200).parse(each, id)])),
  };
  try {
    return object({ publicKeyPem: text(1000), passwords }).parse(JSON.parse(readFile(file)), "");
  } catch (problem) {
    if (problem instanceof Fault && problem.code === "FILE_MISSING") throw problem;
    throw new Fault("OPTION_INVALID", {
      option: "--credentials",
      found: file,
      expected: `what npx vigie stations prints (${(problem as Error).message})`,
      place: file,
    });
  }
}
