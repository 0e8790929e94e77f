import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Fault, type Language } from "#protocol/faults.ts";
import { every, type Cancel } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { DAY, seconds } from "#protocol/units.ts";
import { openLive, type Live, type MqttOptions, type Running } from "#server/main.ts";
import { systemClock } from "#server/ports/clock.ts";
import { credentialsOf } from "./credentials.ts";
import { folded } from "./columns.ts";
import { ADDRESS, claimDirectory, type DataDirectory } from "./directory.ts";
import { beginPresent, hasNoPast, layDown } from "./history.ts";
import { tracesIn } from "./mistake.ts";
import type { Settings } from "./settings.ts";
import { storeOf, type StoreSetting } from "./store-address.ts";
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
  | "retention-quarters"
  | StoreSetting
  | "reader-key"
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
    quarters_d: settings["retention-quarters"] / (DAY / 1000),
    store: storeOf(settings, directory),
    readerKey: settings["reader-key"],
    clock,
    log: (line) => terminal.say(line),
  });
  keepTown(town, directory.file("territory.geojson"));
  writeFileSync(directory.file(ADDRESS), `${live.address}\n`);
  terminal.out(folded(`Vigie ${version} · ${words.town(town.territory)}`, 2));
  terminal.out(`  ${words.page}  ${live.address}`);
  terminal.out(`  ${words.signIn}  ${live.signInLink()}`);
  let beside: TownBeside | undefined;
  let cancel: Cancel | undefined;
  try {
    if (settings.town && settings.history > 0 && hasNoPast(directory)) {
      // A database elsewhere that cannot be reached is better known before than after the rehearsal.
      if (settings.store !== "duckdb") {
        const said = new Set<string>();
        const answered = live.openStore((fault) => {
          const problem = fault.in(terminal.language);
          if (!said.has(problem)) terminal.say(words.waits(problem));
          said.add(problem);
        });
        if ((await Promise.race([answered, stopped])) === "stopped") return 0;
      }
      const text = words.history(settings.history / 3600);
      const laid = await layDown({
        directory,
        state: live.state,
        seed: settings.seed,
        until: time.origin,
        length_s: settings.history,
        stopped,
        takeReadings: () => live.takePast(),
        progress(share) {
          terminal.progress(share, text);
          live.progress(share);
        },
      });
      if (!laid) return 0;
    }
    beginPresent(directory);
    const running = await live.run();
    const failing = running.server.ingest.stats().failing;
    if (failing !== undefined) terminal.say(words.waits(failing.fault.in(terminal.language)));
    terminal.out(`  ${words.mqtt}  ${running.mqtt}`);
    if (settings.town) {
      const order = townOrder(live, town, time, settings.seed, directory, running.mqtt);
      beside = startTown(order, (how) => terminal.say(words.townEnded(how)));
    }
    // What is loaded is loaded: from here on the young generation may grow with the load (see cli.ts).
    setFlagsFromString("--semi-space-growth-factor=2");
    terminal.out(words.stop);
    const minute = minuteLine(running, terminal);
    cancel = every(systemClock, seconds(60), () => {
      terminal.out(folded(minute(), 2));
      keepTime(clock, directory.file("clock"));
    });
    await stopped;
    terminal.out(words.stopping);
    return 0;
  } finally {
    cancel?.();
    await beside?.stop();
    rmSync(directory.file(ADDRESS), { force: true });
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
  const time = new Intl.DateTimeFormat(terminal.language, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    timeZone: server.territory.timeZone,
  });
  let before = 0;
  let decided = 0;
  return () => {
    const { accepted } = server.ingest.stats();
    const { online, stations } = server.registry.stats();
    const alarms = server.alarms.stats();
    const line = words.minute({
      time: time.format(server.clock.now()),
      online,
      stations,
      readings: accepted - before,
      decisions: server.loop.stats().decisions - decided,
      alarms: alarms.open + alarms.acknowledged + alarms["in-progress"],
    });
    decided = server.loop.stats().decisions;
    before = accepted;
    return line;
  };
}

interface Words {
  readonly page: string;
  readonly signIn: string;
  readonly mqtt: string;
  readonly stop: string;
  readonly stopping: string;
  town(territory: Territory): string;
  history(hours: number): string;
  townEnded(how: string): string;
  waits(problem: string): string;
  minute(facts: MinuteFacts): string;
}

interface MinuteFacts {
  readonly time: string;
  readonly online: number;
  readonly stations: number;
  readonly readings: number;
  readonly decisions: number;
  readonly alarms: number;
}

/** "1 alarm", "2 alarms", "1,234 alarms", in the language's own way. */
const counter = (language: Language) => {
  const plural = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(language);
  return (count: number, one: string, many = `${one}s`): string =>
    `${number.format(count)} ${plural.select(count) === "one" ? one : many}`;
};
const english = counter("en");
const french = counter("fr");

const hoursOf = (hours: number): string => (hours >= 1 ? `${Math.round(hours)} h` : `${Math.round(hours * 60)} min`);
const inDays = (hours: number): number | undefined => (hours >= 24 && hours % 24 === 0 ? hours / 24 : undefined);

const WORDS: Record<Language, Words> = {
  en: {
    page: "page   ",
    signIn: "sign in",
    mqtt: "mqtt   ",
    stop: "  Ctrl-C stops; the next start goes on from here.",
    stopping: "Stopping: what was read is written, stations are told.",
    town: ({ name, luminaires, containers, junctions }) =>
      `${name}: ${english(luminaires.length, "lamp")}, ${english(containers.length, "container")}, ${english(junctions.length, "junction")}`,
    history(hours) {
      const days = inDays(hours);
      if (days === 1) return "rehearsing the last day";
      return `rehearsing the last ${days === undefined ? hoursOf(hours) : english(days, "day")}`;
    },
    townEnded: (how) => `The simulated town has ended (${how}); it is started again.`,
    waits: (problem) => `${problem} Readings wait until it answers.`,
    minute: ({ time, online, stations, readings, decisions, alarms }) =>
      `${time}  ${online}/${stations} live · ${english(readings, "reading")} stored · ${english(decisions, "decision")} · ${english(alarms, "alarm")}`,
  },
  fr: {
    page: "page     ",
    signIn: "connexion",
    mqtt: "mqtt     ",
    stop: "  Ctrl-C arrête ; le prochain démarrage reprend ici.",
    stopping: "Arrêt : ce qui est lu est écrit, les stations sont prévenues.",
    town: ({ name, luminaires, containers, junctions }) =>
      `${name} : ${french(luminaires.length, "luminaire")}, ${french(containers.length, "conteneur")}, ${french(junctions.length, "carrefour")}`,
    history(hours) {
      const days = inDays(hours);
      if (days === 1) return "répétition du dernier jour";
      return days === undefined
        ? `répétition des dernières ${hoursOf(hours)}`
        : `répétition des ${days} derniers jours`;
    },
    townEnded: (how) => `La ville simulée s’est arrêtée (${how}) ; elle redémarre.`,
    waits: (problem) => `${problem} Les mesures attendent qu’il réponde.`,
    minute: ({ time, online, stations, readings, decisions, alarms }) =>
      `${time}  ${online}/${stations} actives · ${french(readings, "mesure")} · ${french(decisions, "décision")} · ${french(alarms, "alarme")}`,
  },
};
