/**
 * `vigie/1/{territory}/{station}/up/…` and `…/down/…` are separate trees, so no party receives its own words.
 * `vigie/1/{territory}/street/{street}` carries what neighbours on a street tell each other without a server.
 */
const ROOT = "vigie/1";

export type UpTopic = "readings" | "applied" | "status";
export type DownTopic = "command" | "receipt";

export const up = (territory: string, station: string, leaf: UpTopic): string =>
  `${ROOT}/${territory}/${station}/up/${leaf}`;
export const down = (territory: string, station: string, leaf: DownTopic): string =>
  `${ROOT}/${territory}/${station}/down/${leaf}`;
export const streetTopic = (territory: string, street: string): string => `${ROOT}/${territory}/street/${street}`;
/** What the server subscribes to. */
export const allUp = (territory: string): string => `${ROOT}/${territory}/+/up/#`;
/** What a station subscribes to. */
export const allDown = (territory: string, station: string): string => `${ROOT}/${territory}/${station}/down/#`;

export type Address =
  | { readonly tree: "up"; readonly territory: string; readonly station: string; readonly leaf: UpTopic }
  | { readonly tree: "down"; readonly territory: string; readonly station: string; readonly leaf: string }
  | { readonly tree: "street"; readonly territory: string; readonly street: string };

/** The same few topics come with every message: what they say is kept, until too many different ones have come. */
const MAX_KNOWN = 10_000;
const MAX_KNOWN_LENGTH = 200;
const known = new Map<string, Address>();

/** Reads a topic; undefined when it is none of ours. */
export function parseTopic(topic: string): Address | undefined {
  const before = known.get(topic);
  if (before !== undefined) return before;
  const address = read(topic);
  if (address === undefined || topic.length > MAX_KNOWN_LENGTH) return address;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(topic, address);
  return address;
}

function read(topic: string): Address | undefined {
  const [name, version, territory, who, tree, leaf, ...rest] = topic.split("/");
  if (name !== "vigie" || version !== "1" || !territory || !who || !tree || rest.length > 0) return undefined;
  if (who === "street") return leaf === undefined ? { tree: "street", territory, street: tree } : undefined;
  if (tree === "up" && (leaf === "readings" || leaf === "applied" || leaf === "status")) {
    return { tree, territory, station: who, leaf };
  }
  if (tree === "down" && leaf !== undefined) return { tree, territory, station: who, leaf };
  return undefined;
}

/** A station speaks under its own name, and on the streets its devices stand on. */
export function mayPublish(topic: string, territory: string, station: string, streets: ReadonlySet<string>): boolean {
  const address = parseTopic(topic);
  if (address === undefined || address.territory !== territory) return false;
  if (address.tree === "up") return address.station === station;
  return address.tree === "street" && streets.has(address.street);
}

/** A station hears its own down tree and its own streets, nothing else. */
export function maySubscribe(
  filter: string,
  territory: string,
  station: string,
  streets: ReadonlySet<string>,
): boolean {
  if (filter === allDown(territory, station)) return true;
  const address = parseTopic(filter);
  if (address === undefined || address.territory !== territory) return false;
  if (address.tree === "down") return address.station === station && !/[+#]/.test(address.leaf);
  return address.tree === "street" && streets.has(address.street);
}
