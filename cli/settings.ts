import { Fault } from "#protocol/faults.ts";
import { mistakeIn } from "./json-place.ts";
import { nearest } from "./nearest.ts";

/**
 * Every option of every verb, in one table: the command line, the environment (`VIGIE_` and the name in capitals), the
 * settings file and the reference page all read it. What is given later in that order wins over what is given earlier:
 * default, settings file, environment, command line.
 */
interface Base {
  readonly en: string;
  readonly fr: string;
  /** What stands for the value in `--help`. */
  readonly value?: string;
}
export type Setting = Base &
  (
    | { readonly kind: "integer"; readonly min: number; readonly max: number; readonly default?: number }
    | { readonly kind: "number"; readonly min: number; readonly max: number; readonly default?: number }
    /** A secret is never shown, and no shorter than `least`. */
    | { readonly kind: "text"; readonly default?: string; readonly least?: number; readonly secret?: true }
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default?: string }
    /** `48h`, `2d`, `90m`; given in seconds. */
    | { readonly kind: "duration"; readonly max_s: number; readonly default?: number }
    | { readonly kind: "flag"; readonly default: boolean }
  );

const PORT = { kind: "integer", min: 0, max: 65_535, value: "PORT" } as const;
const FILE = { kind: "text", value: "FILE" } as const;

export const SETTINGS = {
  port: { ...PORT, default: 8080, en: "port of the page and the API", fr: "port de la page et de l’API" },
  host: {
    kind: "text",
    default: "127.0.0.1",
    value: "ADDRESS",
    en: "address the page and the API listen on",
    fr: "adresse d’écoute de la page et de l’API",
  },
  "mqtt-port": { ...PORT, default: 1883, en: "port of the embedded MQTT broker", fr: "port du courtier MQTT intégré" },
  "mqtt-host": {
    kind: "text",
    default: "127.0.0.1",
    value: "ADDRESS",
    en: "address the broker listens on; any but the loopback needs TLS",
    fr: "adresse d’écoute du courtier ; toute autre que la boucle locale exige TLS",
  },
  broker: {
    kind: "text",
    value: "URL",
    en: "address of an MQTT broker to use instead of the embedded one",
    fr: "adresse d’un courtier MQTT à utiliser au lieu de l’intégré",
  },
  "tls-key": { ...FILE, en: "private key of the broker (PEM)", fr: "clé privée du courtier (PEM)" },
  "tls-cert": { ...FILE, en: "certificate of the broker (PEM)", fr: "certificat du courtier (PEM)" },
  "tls-ca": {
    ...FILE,
    en: "authority that signs the stations’ certificates (PEM)",
    fr: "autorité des certificats des stations (PEM)",
  },
  data: {
    kind: "text",
    default: "data",
    value: "DIR",
    en: "directory of everything that is kept",
    fr: "répertoire de tout ce qui est conservé",
  },
  territory: {
    ...FILE,
    en: "the town as GeoJSON; without it a town is generated",
    fr: "la ville en GeoJSON ; sinon une ville est générée",
  },
  speed: {
    kind: "number",
    min: 0.1,
    max: 1000,
    default: 1,
    value: "X",
    en: "how many times faster than life the simulated town runs",
    fr: "combien de fois plus vite que la vie tourne la ville simulée",
  },
  seed: {
    kind: "integer",
    min: 0,
    max: 2 ** 31,
    default: 1,
    value: "N",
    en: "seed of all chance in the town",
    fr: "graine de tout hasard de la ville",
  },
  history: {
    kind: "duration",
    max_s: 366 * 86_400,
    default: 2 * 86_400,
    value: "2d",
    en: "how much past a new town gets through the rehearsal",
    fr: "combien de passé reçoit une nouvelle ville par la répétition",
  },
  retention: {
    kind: "duration",
    max_s: 36_600 * 86_400,
    default: 90 * 86_400,
    value: "90d",
    en: "how long raw readings are kept",
    fr: "combien de temps les mesures brutes sont conservées",
  },
  "retention-quarters": {
    kind: "duration",
    max_s: 36_600 * 86_400,
    default: 1826 * 86_400,
    value: "1826d",
    en: "how long their roll-ups by quarters of an hour are kept, and what the server writes by the quarter or rarer; those by hours stay",
    fr: "combien de temps leurs résumés par quarts d’heure sont conservés, et ce que le serveur écrit par quart d’heure ou plus rarement ; ceux par heures restent",
  },
  store: {
    kind: "choice",
    choices: ["duckdb", "memory", "influx1", "influx2"],
    default: "duckdb",
    en: "what keeps the readings",
    fr: "ce qui conserve les mesures",
  },
  "duckdb-memory": {
    kind: "integer",
    min: 64,
    max: 1_000_000,
    default: 96,
    value: "MB",
    en: "memory of the embedded store; beyond it, it uses the disk",
    fr: "mémoire de la base embarquée ; au-delà, elle se sert du disque",
  },
  "recent-memory": {
    kind: "integer",
    min: 0,
    max: 1_000_000,
    default: 80,
    value: "MB",
    en: "memory for the newest values, once somebody looks at a dashboard; 0: the embedded store answers alone",
    fr: "mémoire pour les dernières valeurs, dès qu’un tableau de bord est ouvert ; 0 : la base répond seule",
  },
  "store-url": {
    kind: "text",
    default: "http://127.0.0.1:8086",
    value: "URL",
    en: "address of the InfluxDB",
    fr: "adresse de l’InfluxDB",
  },
  "store-database": {
    kind: "text",
    default: "vigie",
    value: "NAME",
    en: "database in an InfluxDB 1.x",
    fr: "base dans un InfluxDB 1.x",
  },
  "store-org": {
    kind: "text",
    default: "vigie",
    value: "NAME",
    en: "organisation in an InfluxDB 2.x",
    fr: "organisation dans un InfluxDB 2.x",
  },
  "store-bucket": {
    kind: "text",
    default: "vigie",
    value: "NAME",
    en: "bucket in an InfluxDB 2.x",
    fr: "bucket dans un InfluxDB 2.x",
  },
  "store-user": { kind: "text", value: "NAME", en: "user of an InfluxDB 1.x", fr: "utilisateur d’un InfluxDB 1.x" },
  "store-password": {
    kind: "text",
    value: "TEXT",
    en: "the user’s password; better in the environment",
    fr: "son mot de passe ; plutôt dans l’environnement",
  },
  "store-token": {
    kind: "text",
    value: "TEXT",
    en: "token of an InfluxDB 2.x; better in the environment",
    fr: "jeton d’un InfluxDB 2.x ; plutôt dans l’environnement",
  },
  "reader-key": {
    kind: "text",
    least: 32,
    secret: true,
    value: "KEY",
    en: "API key by which Grafana and others may read from the start; better in the environment",
    fr: "clé d’API par laquelle Grafana et d’autres peuvent lire dès le départ ; plutôt dans l’environnement",
  },
  town: { kind: "flag", default: true, en: "run the simulated town", fr: "faire tourner la ville simulée" },
  lang: { kind: "choice", choices: ["fr", "en"], en: "language of this terminal", fr: "langue de ce terminal" },
  settings: {
    ...FILE,
    en: "settings file (JSON with these same names)",
    fr: "fichier de réglages (JSON avec ces mêmes noms)",
  },
  hours: {
    kind: "number",
    min: 0.01,
    max: 24 * 366,
    default: 24,
    value: "H",
    en: "simulated hours",
    fr: "heures simulées",
  },
  from: {
    kind: "text",
    value: "WHAT",
    en: "rehearse: when it begins (UTC), 2026-03-02T12:00:00Z unless said; store copy: the store to read; restore: the backup; export: from when on (UTC)",
    fr: "rehearse : début (UTC), sinon 2026-03-02T12:00:00Z ; store copy : le stockage à lire ; restore : la sauvegarde ; export : depuis quand (UTC)",
  },
  to: {
    kind: "text",
    value: "WHAT",
    en: "backup: an empty directory; export: until when (UTC); store copy: the store to write, duckdb:FILE, influx1:http://HOST:8086/DATABASE or influx2:http://HOST:8086/ORG/BUCKET",
    fr: "backup : un répertoire vide ; export : jusqu’à quand (UTC) ; store copy : le stockage à écrire, duckdb:FICHIER, influx1:http://HÔTE:8086/BASE ou influx2:http://HÔTE:8086/ORG/BUCKET",
  },
  format: {
    kind: "choice",
    choices: ["csv", "parquet"],
    default: "csv",
    en: "form of the exported table",
    fr: "format de la table exportée",
  },
  device: {
    kind: "text",
    value: "ID,ID",
    en: "devices to export; all unless said",
    fr: "appareils à exporter ; tous sauf avis contraire",
  },
  out: { ...FILE, en: "file to write", fr: "fichier à écrire" },
  faults: { ...FILE, en: "schedule of faults (JSON)", fr: "programme de pannes (JSON)" },
  trace: {
    ...FILE,
    en: "writes what really happened, one JSON a line",
    fr: "écrit ce qui s’est vraiment passé, un JSON par ligne",
  },
  json: {
    kind: "flag",
    default: false,
    en: "one JSON object instead of words",
    fr: "un objet JSON au lieu de phrases",
  },
  lamps: {
    kind: "integer",
    min: 12,
    max: 20_000,
    default: 240,
    value: "N",
    en: "lamps of the generated town",
    fr: "luminaires de la ville générée",
  },
  containers: {
    kind: "integer",
    min: 0,
    max: 20_000,
    default: 60,
    value: "N",
    en: "containers of the generated town",
    fr: "conteneurs de la ville générée",
  },
  junctions: {
    kind: "integer",
    min: 0,
    max: 500,
    default: 6,
    value: "N",
    en: "signalled junctions of the generated town",
    fr: "carrefours à feux de la ville générée",
  },
  limit: {
    kind: "integer",
    min: 1,
    max: 1000,
    default: 20,
    value: "N",
    en: "how many are listed, the newest first",
    fr: "combien sont listées, les plus récentes d’abord",
  },
  bbox: {
    kind: "text",
    value: "W,S,E,N",
    en: "part of the file to import, in degrees",
    fr: "partie du fichier à importer, en degrés",
  },
  "fill-lamps": {
    kind: "flag",
    default: false,
    en: "set lamps along streets with lit=yes",
    fr: "placer des luminaires le long des rues lit=yes",
  },
  "time-zone": {
    kind: "text",
    value: "ZONE",
    en: "IANA time zone of the imported town",
    fr: "fuseau horaire IANA de la ville importée",
  },
  credentials: {
    ...FILE,
    en: "passwords of the stations (JSON, from: npx vigie stations)",
    fr: "mots de passe des stations (JSON, par : npx vigie stations)",
  },
  config: { ...FILE, en: "configuration of the station (JSON)", fr: "configuration de la station (JSON)" },
  "clock-from": {
    kind: "integer",
    min: 0,
    max: 4e12,
    value: "MS",
    en: "instant at which a faster clock starts (ms since 1970)",
    fr: "instant de départ d’une horloge accélérée (ms depuis 1970)",
  },
  help: { kind: "flag", default: false, en: "this text", fr: "ce texte" },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
type ValueOf<S> = S extends { kind: "flag" }
  ? boolean
  : S extends { kind: "integer" | "number" | "duration" }
    ? number
    : S extends { choices: readonly (infer C)[] }
      ? C
      : string;
type Given<S> = S extends { default: unknown } ? ValueOf<S> : ValueOf<S> | undefined;
export type Settings<Names extends SettingName> = { readonly [N in Names]: Given<(typeof SETTINGS)[N]> };

export interface Sources {
  readonly verb: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (name: string) => string;
}

/**
 * Settles the named settings from their sources, and the words on the command line that are no options.
 * Raises Fault OPTION_UNKNOWN (with the nearest name), OPTION_INVALID (with what was found, expected and where) or
 * FILE_MISSING for the settings file.
 */
export function settle<Names extends SettingName>(
  names: readonly Names[],
  sources: Sources,
): { settings: Settings<Names>; words: string[] } {
  const { given, words } = commandLine(names, sources);
  const file = given.get("settings") ?? sources.environment["VIGIE_SETTINGS"];
  const fromFile = file === undefined ? {} : settingsFile(file, names, sources);
  const settled: Record<string, unknown> = {};
  for (const name of names) {
    const setting: Setting = SETTINGS[name];
    const variable = variableOf(name);
    const inEnvironment = sources.environment[variable];
    let value: unknown = setting.default;
    if (Object.hasOwn(fromFile, name)) value = read(name, fromFile[name], file as string);
    if (inEnvironment !== undefined && inEnvironment !== "") value = read(name, inEnvironment, variable);
    const onLine = given.get(name);
    if (onLine !== undefined) value = read(name, onLine, "the command line");
    settled[name] = value;
  }
  return { settings: settled as Settings<Names>, words };
}

/** `mqtt-port` is VIGIE_MQTT_PORT in the environment. */
export const variableOf = (name: string): string => `VIGIE_${name.toUpperCase().replaceAll("-", "_")}`;

function commandLine(
  names: readonly string[],
  { verb, arguments: line }: Sources,
): { given: Map<string, string>; words: string[] } {
  const given = new Map<string, string>();
  const words: string[] = [];
  for (let index = 0; index < line.length; index++) {
    const word = line[index] as string;
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    const [option, attached] = word === "-h" ? ["--help"] : (word.split(/=(.*)/s, 2) as [string, string?]);
    const name = option.replace(/^--?(no-)?/, "");
    const setting = (SETTINGS as Record<string, Setting>)[name];
    if (setting === undefined || !names.includes(name) || (option.startsWith("--no-") && setting.kind !== "flag")) {
      throw new Fault("OPTION_UNKNOWN", { option, near: `--${nearest(name, names)}`, verb });
    }
    if (setting.kind === "flag") {
      given.set(name, attached ?? (option.startsWith("--no-") ? "false" : "true"));
    } else {
      const value = attached ?? line[++index];
      if (value === undefined) throw invalid(name, "nothing", expected(setting), "the command line");
      given.set(name, value);
    }
  }
  return { given, words };
}

function settingsFile(file: string, names: readonly string[], sources: Sources): Record<string, unknown> {
  let json: unknown;
  const text = sources.readFile(file);
  try {
    json = JSON.parse(text);
  } catch {
    const { line, column } = mistakeIn(text) ?? { line: 1, column: 1 };
    throw invalid("settings", file, "JSON", `line ${line}, column ${column}`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw invalid("settings", file, "one JSON object", file);
  for (const name of Object.keys(json)) {
    if (!Object.hasOwn(SETTINGS, name)) {
      throw new Fault("OPTION_UNKNOWN", {
        option: `“${name}” in ${file}`,
        near: `“${nearest(name, names)}”`,
        verb: sources.verb,
      });
    }
  }
  return json as Record<string, unknown>;
}

function read(name: SettingName, found: unknown, place: string): unknown {
  const setting: Setting = SETTINGS[name];
  const text = String(found).trim();
  const refuse = (): never => {
    const isSecret = setting.kind === "text" && setting.secret === true;
    throw invalid(name, isSecret ? `${text.length} characters` : String(found), expected(setting), place);
  };
  switch (setting.kind) {
    case "flag":
      return text === "true" ? true : text === "false" ? false : refuse();
    case "integer":
    case "number": {
      const value = text === "" ? Number.NaN : Number(text);
      if (!(value >= setting.min && value <= setting.max)) return refuse();
      return setting.kind === "number" || Number.isInteger(value) ? value : refuse();
    }
    case "duration": {
      const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text === "0" ? "0s" : text);
      const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[match?.[2] ?? ""];
      const value = Number(match?.[1]) * (factor ?? Number.NaN);
      return value <= setting.max_s ? value : refuse();
    }
    case "choice":
      return setting.choices.includes(text) ? text : refuse();
    case "text":
      return text.length < (setting.least ?? 1) ? refuse() : text;
  }
}

/** What a setting takes, in words. */
export function expected(setting: Setting): string {
  switch (setting.kind) {
    case "flag":
      return "true or false";
    case "integer":
      return `a whole number from ${setting.min} to ${setting.max}`;
    case "number":
      return `a number from ${setting.min} to ${setting.max}`;
    case "duration":
      return `a duration like 90m, 48h or 2d, at most ${Math.floor(setting.max_s / 86_400)}d`;
    case "choice":
      return setting.choices.join(" or ");
    case "text":
      return setting.least === undefined ? "a text" : `a text of ${setting.least} characters or more`;
  }
}

function invalid(name: string, found: string, wanted: string, place: string): Fault {
  return new Fault("OPTION_INVALID", { option: `--${name}`, found, expected: wanted, place });
}
