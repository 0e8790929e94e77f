import { fork, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault, type Language } from "#protocol/faults.ts";
import { every, type Cancel } from "#protocol/ports.ts";
import type { Territory } from "#protocol/territory.ts";
import { DAY, HOUR, instant, seconds } from "#protocol/units.ts";
import { adoptHistory } from "#server/adopt.ts";
import { FILES, openLive, type Live, type MqttOptions, type Running } from "#server/main.ts";
import { systemClock } from "#server/ports/clock.ts";
import type { HistoryOrder } from "#rehearsal/history.ts";
import { claimDirectory, type DataDirectory } from "./directory.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { keepTown, townAt, type Town } from "./territory.ts";
import { untilStopped } from "./stopping.ts";
import { credentialsOf, type TownOrder } from "./town.ts";
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
  keepTown(town, directory.file("territory.geojson"));
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
  terminal.out(`Vigie ${version} · ${words.town(town.territory)}`);
  terminal.out(`  ${words.page}  ${live.address}`);
  terminal.out(`  ${words.signIn}  ${live.signInLink()}`);
  let simulated: Simulated | undefined;
  let cancel: Cancel | undefined;
  try {
    if (settings.town && settings.history > 0 && !existsSync(directory.file("history"))) {
      const laid = await Promise.race([layDown(live, time, settings, directory, terminal), stopped]);
      if (laid === "stopped") return 0;
    }
    const running = await live.run();
    terminal.out(`  mqtt     ${running.mqtt}`);
    if (settings.town)
      simulated = startTown(townOrder(live, town, time, settings.seed, directory, running.mqtt), terminal);
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
    await simulated?.stop();
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

/** Rehearses the past in a process of its own while the page answers, then takes it over. */
async function layDown(
  live: Live,
  time: TownTime,
  settings: StartSettings,
  directory: DataDirectory,
  terminal: Terminal,
): Promise<void> {
  const words = WORDS[terminal.language];
  const draft = directory.file("history-draft");
  rmSync(draft, { recursive: true, force: true });
  rmSync(directory.file(FILES.readings), { force: true });
  rmSync(directory.file(`${FILES.readings}.wal`), { force: true });
  rmSync(directory.file("town"), { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const order: HistoryOrder = {
    territory: directory.file("territory.geojson"),
    seed: settings.seed,
    from: instant(time.origin - settings.history * 1000),
    to: time.origin,
    keys: directory.file(FILES.keys),
    readings: directory.file(FILES.readings),
    state: join(draft, FILES.state),
    town: directory.file("town"),
  };
  const text = words.history(settings.history / 3600);
  const child = fork(join(import.meta.dirname, "history-process.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const done = new Promise<void>((resolve, reject) => {
    child.on("message", (message: { share?: number; problem?: string }) => {
      if (message.problem !== undefined) reject(new Error(message.problem));
      if (message.share === undefined) return;
      terminal.progress(Math.min(message.share, 0.999), text);
      live.progress(message.share);
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`the rehearsal of the past ended with code ${code}`)),
    );
  });
  child.send(order);
  try {
    await done;
  } finally {
    child.kill();
  }
  adoptHistory(live.state, order.state);
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(
    directory.file("history"),
    `${new Date(order.from).toISOString()} ${new Date(order.to).toISOString()}\n`,
  );
  terminal.progress(1, text);
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
  };
}

interface Simulated {
  stop(): Promise<void>;
}

const RESTART_AFTER = seconds(2);

/** The town beside the server; when it dies it is started again, for a street does not end because a process does. */
function startTown(order: TownOrder, terminal: Terminal): Simulated {
  let child: ChildProcess | undefined;
  let stopping = false;
  const launch = (): void => {
    child = fork(join(import.meta.dirname, "town-process.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.send(order);
    child.once("exit", (code, signal) => {
      if (stopping) return;
      terminal.say(WORDS[terminal.language].townEnded(signal ?? String(code)));
      systemClock.after(RESTART_AFTER, () => stopping || launch());
    });
  };
  launch();
  return {
    async stop() {
      stopping = true;
      const running = child;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.disconnect();
      await ended;
    },
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
    : `${Math.round((hours * HOUR) / HOUR)} h`;

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
