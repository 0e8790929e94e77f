import { generateKeyPairSync, sign } from "node:crypto";
import type { Broker, BrokerHandlers } from "#server/broker.ts";
import type { Command } from "#protocol/messages.ts";
import { command, parseMessage } from "#protocol/messages.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { parseTopic } from "#protocol/topics.ts";
import type { Instant } from "#protocol/units.ts";
import { instant } from "#protocol/units.ts";

/** A village small enough to do its sums by hand: two streets in two zones, four lamps on two feeders, a junction, three containers. */
const [lon, lat] = [2.35, 48.85];
const point = (kind: string, id: string, east: number, properties: object) => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: [lon + east, lat] },
  properties: { kind, id, ...properties },
});
const street = (id: string, name: string, zone: string, south: number) => ({
  type: "Feature",
  geometry: { type: "LineString", coordinates: [[lon, lat - south], [lon + 0.01, lat - south], [lon + 0.01, lat]] }, // prettier-ignore
  properties: {
    kind: "street",
    id,
    name,
    highway: "residential",
    lightingClass: "P4",
    speed_kmh: 30,
    oneWay: false,
    zone,
  },
});
const zone = (id: string) => ({
  type: "Feature",
  geometry: { type: "Polygon", coordinates: [[[lon - 1, lat - 1], [lon + 1, lat - 1], [lon + 1, lat + 1], [lon - 1, lat - 1]]] }, // prettier-ignore
  properties: { kind: "zone", id, name: `Quarter ${id}` },
});
const pole = (index: number, on: string, feeder: string) => [
  point("station", `S-L${index}`, index / 10_000, {}),
  point("luminaire", `L${index}`, index / 10_000, {
    station: `S-L${index}`,
    street: on,
    power_W: 40,
    height_m: 5,
    lightingClass: "P4",
    feeder,
  }),
  point("presence", `P${index}`, index / 10_000, { station: `S-L${index}`, street: on }),
];
const bin = (index: number) => [
  point("station", `S-C${index}`, index / 5000, {}),
  point("container", `C${index}`, index / 5000, {
    station: `S-C${index}`,
    street: "R1",
    stream: "residual",
    volume_L: 1000,
    place: "housing",
    service_s: 60,
  }),
];
const group = (id: string, kind: string, approach?: string) => ({
  id,
  kind,
  ...(approach !== undefined && { approach }),
  turns: [kind === "vehicle" ? "through" : "crossing"],
  lanes: 1,
  saturation_veh_h: kind === "vehicle" ? 1800 : 0,
  min_s: 6,
  max_s: 40,
  clearance_s: kind === "vehicle" ? 3 : 8,
});

export const village = parseTerritory({
  type: "FeatureCollection",
  vigie: { version: 1, id: "village", name: "Le Village", timeZone: "Europe/Paris", position: [lon, lat] },
  features: [
    zone("north"),
    zone("south"),
    street("R1", "Rue du Puits", "north", 0),
    street("R2", "Rue du Four", "south", 0.001),
    ...pole(1, "R1", "F1"),
    ...pole(2, "R1", "F1"),
    ...pole(3, "R1", "F1"),
    ...pole(4, "R2", "F2"),
    ...bin(1),
    ...bin(2),
    ...bin(3),
    point("station", "S-J1", 0.01, {}),
    point("junction", "J1", 0.01, {
      station: "S-J1",
      name: "Puits / Four",
      approaches: [
        { id: "w", street: "R1", bearing_deg: 90, lanes: 1, length_m: 100 },
        { id: "s", street: "R2", bearing_deg: 0, lanes: 1, length_m: 100 },
      ],
      groups: [group("W", "vehicle", "w"), group("S", "vehicle", "s"), group("PW", "pedestrian")],
      conflicts: [["W", "S"], ["W", "PW"]], // prettier-ignore
      intergreens: [
        { from: "W", to: "S", s: 5 },
        { from: "S", to: "W", s: 5 },
        { from: "W", to: "PW", s: 5 },
        { from: "PW", to: "W", s: 9 },
      ],
      stages: [
        { id: "A", groups: ["W"] },
        { id: "B", groups: ["S", "PW"] },
      ],
      fixedPlan: { offset_s: 0, stages: [{ stage: "A", green_s: 20 }, { stage: "B", green_s: 20 }] }, // prettier-ignore
    }),
    point("loop", "D-W", 0.01, {
      station: "S-J1",
      junction: "J1",
      approach: "w",
      group: "W",
      place: "stop-line",
      distance_m: 0,
    }),
    point("loop", "D-S", 0.01, {
      station: "S-J1",
      junction: "J1",
      approach: "s",
      group: "S",
      place: "stop-line",
      distance_m: 0,
    }),
    point("button", "B-PW", 0.01, { station: "S-J1", junction: "J1", group: "PW" }),
    point("station", "S-V1", 0.0001, {}),
    point("depot", "DEPOT", 0, {
      vehicles: [
        { id: "V1", station: "S-V1", capacity_L: 8000, streams: ["residual"], shiftStart: "06:00", shift_h: 7 },
      ],
    }),
    point("tipping-site", "TIP", 0.009, { service_s: 600, streams: ["residual"] }),
  ],
});

/** A Monday in winter, ten in the morning on the village's clocks. */
export const MONDAY: Instant = instant(Date.UTC(2026, 1, 2, 9));

const pair = generateKeyPairSync("ed25519");
export const signer = { sign: (text: string) => sign(null, Buffer.from(text), pair.privateKey).toString("base64url") };
export const { publicKey } = pair;

/** A broker that is a list: what was sent down, by time of sending, and a way to speak as a station. */
export interface ListBroker extends Broker {
  readonly sent: Command[];
  readonly handlers: BrokerHandlers | undefined;
}

export function listBroker(onCommand?: (command: Command) => void): ListBroker {
  const sent: Command[] = [];
  let handlers: BrokerHandlers | undefined;
  return {
    sent,
    get handlers() {
      return handlers;
    },
    start(given) {
      handlers = given;
      return Promise.resolve();
    },
    publish(topic, payload) {
      const address = parseTopic(topic);
      if (address?.tree !== "down" || address.leaf !== "command") return;
      const said = parseMessage(command, payload);
      sent.push(said);
      onCommand?.(said);
    },
    stop: () => Promise.resolve(),
  };
}
