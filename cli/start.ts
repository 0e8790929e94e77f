import { readFileSync } from "node:fs";
import { Fault, type Language } from "#protocol/faults.ts";
import { every, type Cancel } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { DAY, seconds } from "#protocol/units.ts";
import { openLive, type Live, type MqttOptions, type Running } from "#server/main.ts";
import { systemClock } from "#server/ports/clock.ts";
import { credentialsOf } from "./credentials.ts";
import { claimDirectory, type DataDirectory } from "./directory.ts";
import { beginPresent, hasNoPast, layDown } from "./history.ts";
import { tracesIn } from "./mistake.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { keepTown, townAt, type Town } from "./territory.ts";
import { untilStopped } from "./stopping.ts";
import { startTown, type TownBeside } from "./town-beside.ts";
import type { TownOrder } from "./town.ts";
import { keepTime, townClock, townTime, type TownTime } from "./town-clock.ts";
import type { Call } from "./verb.ts";
import { version } from "./version.ts";

type StartSetting =
  | "port"
  | "host"
  | "mqtt-port"
  | "mqtt-host"
  | "broker"
  | "tls-key"
  | "tls-cert"
  | "tls-ca"
  | "data"
  | "territory"
  | "speed"
  | "seed"
  | "history"
  | "retention"
  | "town";
type StartSettings = Settings<StartSetting>;

/** The server and, unless told otherwise, the simulated town beside it, until it is stopped. */
export async function start({ settings, terminal }: Call<StartSetting>): Promise<number> {
  const directory = claimDirectory(settings.data);
  try {
    return await run(settings, terminal, directory);
  } finally {
    directory.release();
  }
}

async function run(settings: StartSettings, terminal: Terminal, directory: DataDirectory): Promise<number> {
  const words = WORDS[terminal.language];
  const stopped = untilStopped();
  const town = townAt(settings.territory, directory.file("territory.geojson"), settings.seed);
  const time = townTime(settings.speed, directory.file("clock"));
  const clock = townClock(time);
  const live = await openLive({
    ...town,
    directory: directory.path,
    version,
    page: { host: settings.host, port: settings.port },
    mqtt: mqttOptions(settings),
    retention_d: settings.retention / (DAY / 1000),
    clock,
    log: (line) => terminal.say(line),
  });
  keepTown(town, directory.file("territory.geojson"));
  terminal.out(`Vigie ${version} · ${words.town(town.territory)}`);
  terminal.out(`  ${words.page}  ${live.address}`);
  terminal.out(`  ${words.signIn}  ${live.signInLink()}`);
  let beside: TownBeside | undefined;
  let cancel: Cancel | undefined;
  try {
    if (settings.town && settings.history > 0 && hasNoPast(directory)) {
      const text = words.history(settings.history / 3600);
      const laid = await layDown({
        directory,
        state: live.state,
        seed: settings.seed,
        until: time.origin,
        length_s: settings.history,
        stopped,
        progress(share) {
          terminal.progress(share, text);
          live.progress(share);
        },
      });
      if (!laid) return 0;
    }
    beginPresent(directory);
    const running = await live.run();
    terminal.out(`  mqtt     ${running.mqtt}`);
    if (settings.town) {
      const order = townOrder(live, town, time, settings.seed, directory, running.mqtt);
      beside = startTown(order, (how) => terminal.say(words.townEnded(how)));
    }
    terminal.out(words.stop);
    const minute = minuteLine(running, terminal);
    cancel = every(systemClock, seconds(60), () => {
      terminal.out(minute());
      keepTime(clock, directory.file("clock"));
    });
    await stopped;
    terminal.out(words.stopping);
    return 0;
  } finally {
    cancel?.();
    await beside?.stop();
    await live.stop();
    keepTime(clock, directory.file("clock"));
  }
}

function mqttOptions(settings: StartSettings): MqttOptions {
  if (settings.broker !== undefined) return { url: settings.broker };
  const { "tls-key": key, "tls-cert": cert, "tls-ca": ca } = settings;
  const listen = { host: settings["mqtt-host"], port: settings["mqtt-port"] };
  if (key === undefined && cert === undefined && ca === undefined) return listen;
  if (settings.town) {
    throw new Fault("OPTION_INVALID", {
      option: "--town",
      found: "true",
      expected: "--no-town beside TLS, since simulated stations have no certificates",
      place: "the settings",
    });
  }
  // Half of it would be plain MQTT for somebody who believes in TLS.
  if (key === undefined) throw besideTls("--tls-key");
  if (cert === undefined) throw besideTls("--tls-cert");
  return { ...listen, tls: { key: pem(key), cert: pem(cert), ...(ca !== undefined && { ca: pem(ca) }) } };
}

const besideTls = (option: string): Fault =>
  new Fault("OPTION_INVALID", {
    option,
    found: "missing",
    expected: "a PEM file beside the other --tls options",
    place: "the settings",
  });

function pem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new Fault("FILE_MISSING", { file });
  }
}

function townOrder(
  live: Live,
  town: Town,
  time: TownTime,
  seed: number,
  directory: DataDirectory,
  broker: string,
): TownOrder {
  return {
    broker,
    territory: directory.file("territory.geojson"),
    directory: directory.file("town"),
    seed,
    time,
    credentials: credentialsOf(town.territory, live.secret, live.publicKeyPem),
    traces: tracesIn(directory.path),
  };
}

/** The one calm line a minute. */
function minuteLine({ server }: Running, terminal: Terminal): () => string {
  const words = WORDS[terminal.language];
  const number = new Intl.NumberFormat(terminal.language);
  const time = new Intl.DateTimeFormat(terminal.language, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    timeZone: server.territory.timeZone,
  });
  let before = 0;
  return () => {
    const { accepted } = server.ingest.stats();
    const { online, stations } = server.registry.stats();
    const alarms = server.alarms.stats();
    const line = words.minute({
      time: time.format(server.clock.now()),
      live: `${number.format(online)}/${number.format(stations)}`,
      readings: number.format(accepted - before),
      decisions: number.format(server.loop.stats().decisions),
      alarms: number.format(alarms.open + alarms.acknowledged + alarms["in-progress"]),
    });
    before = accepted;
    return line;
  };
}

interface Words {
  readonly page: string;
  readonly signIn: string;
  readonly stop: string;
  readonly stopping: string;
  town(territory: Territory): string;
  history(hours: number): string;
  townEnded(how: string): string;
  minute(facts: Record<"time" | "live" | "readings" | "decisions" | "alarms", string>): string;
}

const days = (hours: number, day: string, days_: string): string =>
  hours % 24 === 0 && hours >= 24
    ? `${hours / 24} ${hours === 24 ? day : days_}`
    : hours >= 1
      ? `${Math.round(hours)} h`
      : `${Math.round(hours * 60)} min`;

const WORDS: Record<Language, Words> = {
  en: {
    page: "page   ",
    signIn: "sign in",
    stop: "  Ctrl-C stops; the next start goes on from here.",
    stopping: "Stopping: what was read is written, stations are told.",
    town: ({ name, luminaires, containers, junctions }) =>
      `${name}: ${luminaires.length} lamps, ${containers.length} containers, ${junctions.length} junctions`,
    history: (hours) => `rehearsing the last ${days(hours, "day", "days")}`,
    townEnded: (how) => `The simulated town has ended (${how}); it is started again.`,
    minute: ({ time, live, readings, decisions, alarms }) =>
      `${time}  ${live} stations live · ${readings} readings stored · ${decisions} decisions · ${alarms} alarms`,
  },
  fr: {
    page: "page     ",
    signIn: "connexion",
    stop: "  Ctrl-C arrête ; le prochain démarrage reprend ici.",
    stopping: "Arrêt : ce qui est lu est écrit, les stations sont prévenues.",
    town: ({ name, luminaires, containers, junctions }) =>
      `${name} : ${luminaires.length} luminaires, ${containers.length} conteneurs, ${junctions.length} carrefours`,
    history: (hours) =>
      `répétition ${hours === 24 ? "du dernier jour" : `des ${days(hours, "jour", "derniers jours")}`}`,
    townEnded: (how) => `La ville simulée s’est arrêtée (${how}) ; elle redémarre.`,
    minute: ({ time, live, readings, decisions, alarms }) =>
      `${time}  ${live} stations actives · ${readings} mesures · ${decisions} décisions · ${alarms} alarmes`,
  },
};
