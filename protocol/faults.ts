/**
 * What the world does to us, in one table: each fault has a sentence in English and French that names the thing and the
 * place, the next step, and the HTTP status and exit code it becomes at a border. What we did wrong is not here: that is
 * an assertion. `{name}` in a sentence is filled from the facts.
 */
interface FaultKind {
  readonly en: string;
  readonly fr: string;
  readonly status: number;
}

export const FAULTS = {
  PAYLOAD_INVALID: {
    en: "At {path}: found {found}, expected {expected}.",
    fr: "À {path} : trouvé {found}, attendu {expected}.",
    status: 400,
  },
  PAYLOAD_UNREADABLE: {
    en: "The payload is neither JSON nor CBOR: {problem}.",
    fr: "Le contenu n’est ni du JSON ni du CBOR : {problem}.",
    status: 400,
  },
  PAYLOAD_TOO_LARGE: {
    en: "The payload of {size} bytes is larger than {limit} bytes.",
    fr: "Le contenu de {size} octets dépasse {limit} octets.",
    status: 413,
  },
  DEVICE_UNKNOWN: {
    en: "Device {device} is not on station {station} in this territory.",
    fr: "L’appareil {device} n’est pas sur la station {station} dans ce territoire.",
    status: 404,
  },
  STATION_UNKNOWN: {
    en: "Station {station} is not in this territory.",
    fr: "La station {station} n’est pas dans ce territoire.",
    status: 404,
  },
  MEASURE_UNKNOWN: {
    en: "A {kind} has no measure {measure}; it has {known}.",
    fr: "Un appareil {kind} n’a pas de mesure {measure} ; il a {known}.",
    status: 400,
  },
  VALUE_OUT_OF_RANGE: {
    en: "{device} says {measure} = {value}, outside {min} to {max}.",
    fr: "{device} annonce {measure} = {value}, hors de {min} à {max}.",
    status: 400,
  },
  READING_IN_FUTURE: {
    en: "{device} dates a reading {ahead_s} s ahead of the server; the most accepted is {limit_s} s. Check the clock of its station.",
    fr: "{device} date une mesure {ahead_s} s en avance sur le serveur ; au plus {limit_s} s. Vérifiez l’horloge de sa station.",
    status: 400,
  },
  READING_TOO_OLD: {
    en: "{device} sends a reading {age_d} days old; the oldest accepted is {limit_d} days.",
    fr: "{device} envoie une mesure vieille de {age_d} jours ; au plus {limit_d} jours.",
    status: 400,
  },
  BATCH_EARLY: {
    en: "Station {station} sends readings that follow number {after}; the server has them up to {upTo} and asks for the rest first.",
    fr: "La station {station} envoie des mesures qui suivent le numéro {after} ; le serveur les a jusqu’au {upTo} et demande d’abord le reste.",
    status: 409,
  },
  COMMAND_EXPIRED: {
    en: "Command {command} for {device} arrived {late_s} s after its expiry and was not acted on.",
    fr: "La commande {command} pour {device} est arrivée {late_s} s après son expiration et n’a pas été exécutée.",
    status: 410,
  },
  COMMAND_REPEATED: {
    en: "Command {command} for {device} has sequence {sequence}, not after the last one ({last}).",
    fr: "La commande {command} pour {device} porte le numéro {sequence}, pas après le dernier ({last}).",
    status: 409,
  },
  COMMAND_FORGED: {
    en: "Command {command} for {device} does not carry a valid signature.",
    fr: "La commande {command} pour {device} ne porte pas de signature valable.",
    status: 403,
  },
  COMMAND_REFUSED: {
    en: "{device} refuses {action}: {problem}.",
    fr: "{device} refuse {action} : {problem}.",
    status: 422,
  },
  DISK_FULL: {
    en: "The disk is full while writing {file}. Free space or give another directory with --data.",
    fr: "Le disque est plein en écrivant {file}. Libérez de la place ou donnez un autre répertoire avec --data.",
    status: 507,
  },
  DISK_FAILED: {
    en: "The disk failed at {file}: {problem}.",
    fr: "Le disque a échoué sur {file} : {problem}.",
    status: 500,
  },
  STORE_FAILED: {
    en: "The time-series store cannot write: {problem}.",
    fr: "Le stockage des séries ne peut pas écrire : {problem}.",
    status: 503,
  },
  STORE_UNREACHABLE: {
    en: "The time-series store at {address} does not answer: {problem}. Check that it runs, and the address in --store-url.",
    fr: "Le stockage des séries {address} ne répond pas : {problem}. Vérifiez qu’il fonctionne, et l’adresse dans --store-url.",
    status: 503,
  },
  STORE_REFUSED: {
    en: "The time-series store at {address} refuses: {problem}. Check --store-user and --store-password or --store-token, and its rights.",
    fr: "Le stockage des séries {address} refuse : {problem}. Vérifiez --store-user et --store-password ou --store-token, et ses droits.",
    status: 503,
  },
  TERRITORY_UNREADABLE: {
    en: "{file} is not a territory: {problem}. A territory is a GeoJSON FeatureCollection; make one with: npx vigie town generate",
    fr: "{file} n’est pas un territoire : {problem}. Un territoire est une FeatureCollection GeoJSON ; pour en créer un : npx vigie town generate",
    status: 400,
  },
  TERRITORY_INVALID: {
    en: "{feature}, property {property}: {problem}.",
    fr: "{feature}, propriété {property} : {problem}.",
    status: 400,
  },
  OPTION_UNKNOWN: {
    en: "There is no option {option}. Did you mean {near}? All options: npx vigie {verb} --help",
    fr: "L’option {option} n’existe pas. Vouliez-vous dire {near} ? Toutes les options : npx vigie {verb} --help",
    status: 400,
  },
  OPTION_INVALID: {
    en: "{option} is {found}; expected {expected} (from {place}).",
    fr: "{option} vaut {found} ; attendu : {expected} (depuis {place}).",
    status: 400,
  },
  VERB_UNKNOWN: {
    en: "There is no verb {verb}. Did you mean {near}? All verbs: npx vigie --help",
    fr: "Le verbe {verb} n’existe pas. Vouliez-vous dire {near} ? Tous les verbes : npx vigie --help",
    status: 400,
  },
  PORT_TAKEN: {
    en: "Port {port} is already in use on {host}. Stop the other program or choose another with {option}.",
    fr: "Le port {port} est déjà utilisé sur {host}. Arrêtez l’autre programme ou choisissez-en un autre avec {option}.",
    status: 409,
  },
  DIRECTORY_UNWRITABLE: {
    en: "The directory {directory} cannot be written: {problem}. Give another with --data or change its rights.",
    fr: "Le répertoire {directory} n’est pas accessible en écriture : {problem}. Donnez-en un autre avec --data ou changez ses droits.",
    status: 403,
  },
  DATA_NEWER: {
    en: "The data in {directory} was written by a newer version (format {found}; this one knows {known}). Update vigie, or give another directory with --data.",
    fr: "Les données de {directory} viennent d’une version plus récente (format {found} ; celle-ci connaît {known}). Mettez vigie à jour ou donnez un autre répertoire avec --data.",
    status: 409,
  },
  DATA_OTHER_TOWN: {
    en: "The data in {directory} belongs to the territory {found}, not {wanted}. Give another directory with --data.",
    fr: "Les données de {directory} appartiennent au territoire {found}, pas à {wanted}. Donnez un autre répertoire avec --data.",
    status: 409,
  },
  DATA_IN_USE: {
    en: "Another vigie (process {process}) uses the data in {directory}. Stop it, or give another directory with --data.",
    fr: "Un autre vigie (processus {process}) utilise les données de {directory}. Arrêtez-le ou donnez un autre répertoire avec --data.",
    status: 409,
  },
  FILE_MISSING: {
    en: "There is no file {file}. Check the path.",
    fr: "Le fichier {file} n’existe pas. Vérifiez le chemin.",
    status: 404,
  },
  DIRECTORY_NOT_EMPTY: {
    en: "The directory {directory} is not empty. Give a new one, so that nothing is overwritten.",
    fr: "Le répertoire {directory} n’est pas vide. Donnez-en un nouveau, afin que rien ne soit écrasé.",
    status: 409,
  },
  BACKUP_DAMAGED: {
    en: "The backup in {directory} is not whole: {file}: {problem}. Nothing was restored; take another backup.",
    fr: "La sauvegarde {directory} n’est pas entière : {file} : {problem}. Rien n’a été restauré ; prenez une autre sauvegarde.",
    status: 409,
  },
  SERVER_SILENT: {
    en: "The server that uses {directory} does not answer at {address}: {problem}. Stop it, or see what it does, and try again.",
    fr: "Le serveur qui utilise {directory} ne répond pas à {address} : {problem}. Arrêtez-le, ou voyez ce qu’il fait, et recommencez.",
    status: 503,
  },
  BROKER_UNREACHABLE: {
    en: "The broker at {address} does not answer: {problem}. Check the address and that it runs.",
    fr: "Le courtier {address} ne répond pas : {problem}. Vérifiez l’adresse et qu’il fonctionne.",
    status: 503,
  },
  TLS_REQUIRED: {
    en: "MQTT on {host} needs TLS: plain MQTT is for the loopback address only. Give --tls-key, --tls-cert and --tls-ca, or listen on 127.0.0.1.",
    fr: "MQTT sur {host} exige TLS : MQTT en clair n’est permis que sur la boucle locale. Donnez --tls-key, --tls-cert et --tls-ca, ou écoutez sur 127.0.0.1.",
    status: 400,
  },
  NOT_SIGNED_IN: {
    en: "You are not signed in. Sign in, or send an API key as “Authorization: Bearer …”.",
    fr: "Vous n’êtes pas connecté. Connectez-vous ou envoyez une clé d’API avec « Authorization: Bearer … ».",
    status: 401,
  },
  ROLE_TOO_LOW: {
    en: "This needs the role {needed}; you have {role}.",
    fr: "Ceci exige le rôle {needed} ; vous avez {role}.",
    status: 403,
  },
  NOT_FOUND: {
    en: "There is no {thing} {id}.",
    fr: "{thing} {id} n’existe pas.",
    status: 404,
  },
  CONFLICT: {
    en: "{thing} {id} cannot be {action}: it is {state}.",
    fr: "{thing} {id} ne peut pas être {action} : son état est {state}.",
    status: 409,
  },
  TOO_MANY: {
    en: "Too many {thing}: the limit is {limit}. Try again in {retry_s} s.",
    fr: "Trop de {thing} : la limite est {limit}. Réessayez dans {retry_s} s.",
    status: 429,
  },
  JOURNAL_BROKEN: {
    en: "The decision journal is broken at entry {entry}: {problem}.",
    fr: "Le journal des décisions est rompu à l’entrée {entry} : {problem}.",
    status: 500,
  },
  REPLAY_DIFFERS: {
    en: "Decision {id} computed again from its recorded inputs differs: recorded {recorded}, now {now}.",
    fr: "La décision {id}, recalculée depuis ses entrées, diffère : enregistrée {recorded}, maintenant {now}.",
    status: 500,
  },
  FIELD_EXPECTED: {
    en: "Expected {expected}.",
    fr: "Attendu : {expected}.",
    status: 400,
  },
  MEDIA_UNKNOWN: {
    en: "The body is of type {found}; expected {expected}.",
    fr: "Le corps est de type {found} ; attendu : {expected}.",
    status: 415,
  },
  OTHER_ORIGIN: {
    en: "A change must come from the page of this server itself, not from {found}.",
    fr: "Une modification doit venir de la page de ce serveur, pas de {found}.",
    status: 403,
  },
  SIGN_IN_REFUSED: {
    en: "The name and password do not match, or the link was already used or has expired.",
    fr: "Le nom et le mot de passe ne correspondent pas, ou le lien a déjà servi ou a expiré.",
    status: 401,
  },
  HISTORY_FAILED: {
    en: "The past could not be rehearsed: {problem}. Start again, or without a past: --history 0.",
    fr: "Le passé n’a pas pu être répété : {problem}. Redémarrez, ou sans passé : --history 0.",
    status: 500,
  },
  MISTAKE: {
    en: "A mistake in Vigie itself ended it: {problem}. What was acknowledged is on disk. The trace is in {file}; please report it.",
    fr: "Une erreur dans Vigie même l’a arrêté : {problem}. Ce qui a été acquitté est sur disque. La trace est dans {file} ; merci de la signaler.",
    status: 500,
  },
  UNEXPECTED: {
    en: "Something went wrong in the server at {place}; its log says what.",
    fr: "Une erreur s’est produite dans le serveur à {place} ; son journal dit laquelle.",
    status: 500,
  },
  NOT_READY: {
    en: "The server is {state}; try again in {retry_s} s.",
    fr: "Le serveur est {state} ; réessayez dans {retry_s} s.",
    status: 503,
  },
} as const satisfies Record<string, FaultKind>;

export type FaultCode = keyof typeof FAULTS;
export type Language = "en" | "fr";
export type Facts = Readonly<Record<string, string | number | boolean>>;

/** Something the world did, named in the table, with the facts in its text. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly facts: Facts;

  constructor(code: FaultCode, facts: Facts) {
    super(sentence(code, facts, "en"));
    this.name = "Fault";
    this.code = code;
    this.facts = facts;
  }

  get status(): number {
    return FAULTS[this.code].status;
  }

  in(language: Language): string {
    return sentence(this.code, this.facts, language);
  }
}

/** One line, whatever the facts hold: what a stranger sent must neither break a line nor reach a terminal as an escape. */
function sentence(code: FaultCode, facts: Facts, language: Language): string {
  return FAULTS[code][language].replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(facts[name] ?? "?").replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " "),
  );
}
