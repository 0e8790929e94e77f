import type { Language } from "#protocol/faults.ts";
import { folded } from "./columns.ts";
import { verb, type Verb } from "./verb.ts";

/**
 * Every verb, in the order in which `npx vigie --help` lists them. The code of one is loaded when it is asked for, so that
 * none pays for another's.
 */
export const VERBS: readonly Verb[] = [
  verb({
    name: "start",
    en: "runs the server and, unless told otherwise, the simulated town",
    fr: "fait tourner le serveur et, sauf avis contraire, la ville simulée",
    settings: [
      "port", "host", "mqtt-port", "mqtt-host", "broker", "tls-key", "tls-cert", "tls-ca", "data", "territory", "speed",
      "seed", "history", "retention", "retention-quarters", "store", "duckdb-memory", "recent-memory", "store-url", "store-database", "store-org", "store-bucket", "store-user",
      "store-password", "store-token", "reader-key", "town",
    ], // prettier-ignore
    run: async (call) => (await import("./start.ts")).start(call),
  }),
  verb({
    name: "town generate",
    en: "prints a generated town as a territory file (GeoJSON)",
    fr: "affiche une ville générée, en fichier de territoire (GeoJSON)",
    settings: ["seed", "lamps", "containers", "junctions"],
    run: async (call) => (await import("./towns.ts")).generate(call),
  }),
  verb({
    name: "town import-osm",
    words: "FILE.osm.pbf",
    en: "prints a territory file made of an OpenStreetMap extract",
    fr: "affiche un fichier de territoire tiré d’un extrait d’OpenStreetMap",
    settings: ["bbox", "fill-lamps", "time-zone"],
    run: async (call) => (await import("./towns.ts")).importTown(call),
  }),
  verb({
    name: "simulate",
    en: "runs the simulated town alone, against any MQTT broker",
    fr: "fait tourner la ville simulée seule, avec n’importe quel courtier MQTT",
    settings: ["broker", "territory", "seed", "speed", "data", "credentials"],
    run: async (call) => (await import("./simulate.ts")).simulate(call),
  }),
  verb({
    name: "stations",
    en: "prints what the stations of this town need to connect: passwords and the server’s public key",
    fr: "affiche ce qu’il faut aux stations de la ville pour se connecter : mots de passe et clé publique du serveur",
    settings: ["data", "territory", "seed"],
    run: async (call) => (await import("./simulate.ts")).stations(call),
  }),
  verb({
    name: "edge",
    en: "runs one station: the agent on a pole, a container or a junction",
    fr: "fait tourner une station : l’agent d’un mât, d’un conteneur ou d’un carrefour",
    settings: ["config"],
    run: async (call) => (await import("./edge.ts")).edge(call),
  }),
  verb({
    name: "rehearse",
    en: "runs server and town on virtual time, from a seed, and says what held",
    fr: "fait tourner serveur et ville en temps virtuel, depuis une graine, et dit ce qui a tenu",
    settings: ["seed", "hours", "from", "territory", "faults", "trace", "json"],
    run: async (call) => (await import("./rehearse.ts")).rehearse(call),
  }),
  verb({
    name: "decisions list",
    words: "[SUBJECT]",
    en: "lists the newest decisions, of one street, junction or depot where one is named",
    fr: "liste les dernières décisions, d’une rue, d’un carrefour ou d’un dépôt si l’on en nomme un",
    settings: ["data", "limit", "json"],
    run: async (call) => (await import("./decisions.ts")).list(call),
  }),
  verb({
    name: "decisions show",
    words: "ID",
    en: "shows a decision: value, rule, evidence, alternatives, until when",
    fr: "montre une décision : valeur, règle, faits, autres choix, jusqu’à quand",
    settings: ["data"],
    run: async (call) => (await import("./decisions.ts")).show(call),
  }),
  verb({
    name: "decisions replay",
    words: "ID",
    en: "computes a decision again from its recorded inputs, bit for bit",
    fr: "recalcule une décision depuis ses entrées enregistrées, au bit près",
    settings: ["data"],
    run: async (call) => (await import("./decisions.ts")).replay(call),
  }),
  verb({
    name: "decisions verify",
    en: "checks the chain of the decision journal from its first entry",
    fr: "vérifie la chaîne du journal des décisions depuis sa première entrée",
    settings: ["data"],
    run: async (call) => (await import("./decisions.ts")).verify(call),
  }),
  verb({
    name: "store copy",
    en: "copies a town’s readings from one store into another, and compares them",
    fr: "copie les mesures d’une ville d’un stockage dans un autre, et les compare",
    settings: ["from", "to", "data", "territory", "store-user", "store-password", "store-token", "json"],
    run: async (call) => (await import("./store.ts")).copy(call),
  }),
  verb({
    name: "backup",
    en: "writes all that a town has into a directory, while its server runs or not",
    fr: "écrit tout ce qu’a une ville dans un répertoire, que son serveur tourne ou non",
    settings: ["data", "to", "json"],
    run: async (call) => (await import("./backup.ts")).backup(call),
  }),
  verb({
    name: "restore",
    en: "lays a backup down as a new data directory, when every file of it is whole",
    fr: "restaure une sauvegarde dans un nouveau répertoire, si chacun de ses fichiers est entier",
    settings: ["from", "data", "json"],
    run: async (call) => (await import("./backup.ts")).restore(call),
  }),
  verb({
    name: "export",
    en: "writes the readings of a span into a file, as CSV or Parquet",
    fr: "écrit les mesures d’une période dans un fichier, en CSV ou Parquet",
    settings: ["data", "format", "from", "to", "device", "out", "json"],
    run: async (call) => (await import("./export.ts")).exportReadings(call),
  }),
  verb({
    name: "docs",
    en: "writes the reference pages that are made from the code",
    fr: "écrit les pages de référence tirées du code",
    settings: [],
    run: async (call) => (await import("./docs.ts")).docs(call),
  }),
];

export function overview(language: Language): string {
  const width = Math.max(...VERBS.map(({ name }) => name.length));
  const lines = VERBS.map((each) =>
    folded(`  ${each.name.padEnd(width)}  ${language === "fr" ? each.fr : each.en}`, width + 4),
  );
  const [title, each] =
    language === "fr"
      ? [
          "Vigie fait fonctionner l’éclairage, la collecte des déchets et les feux d’une ville.",
          "Chaque verbe a son aide : npx vigie <verbe> --help",
        ]
      : [
          "Vigie runs a town’s street lighting, waste collection and traffic signals.",
          "Each verb has its help: npx vigie <verb> --help",
        ];
  return [folded(title), "", ...lines, "", each].join("\n");
}
