import { seededChance } from "#protocol/chance.ts";
import type { Order } from "#protocol/messages.ts";
import { encodeMessage, parseBatch } from "#protocol/messages.ts";
import type { Territory } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { down } from "#protocol/topics.ts";
import type { Instant } from "#protocol/units.ts";
import { DAY, HOUR, instant, seconds } from "#protocol/units.ts";
import { createAgent } from "#edge/agent.ts";
import type { Hardware } from "#edge/hardware/hardware.ts";
import { openOutbox } from "#edge/outbox.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { virtualNetwork } from "#rehearsal/network.ts";
import type { Row } from "./row.ts";

const START = instant(Date.UTC(2026, 11, 21));
const STREETS = 12;
const LAMPS = 20;
const CONTAINERS = 60;
const PASSAGES = 7500;

/** What the station costs: readings a second through the outbox, and the processor time of a town's stations in a day. */
export async function run(): Promise<Row[]> {
  const runs: number[] = [];
  for (let turn = 0; turn < 3; turn++) runs.push(await day(turn));
  runs.sort((a, b) => a - b);
  const stations = STREETS * LAMPS + CONTAINERS;
  return [
    {
      what: "readings a second through the outbox of one station",
      value: throughOutbox(),
      unit: "1/s",
      better: "more",
    },
    {
      what: `processor time of a day of ${stations} stations, line and virtual clock included`,
      value: runs[1] as number,
      spread: [runs[0] as number, runs[2] as number],
      unit: "s",
      must: 5,
      aim: 3,
      better: "less",
    },
  ];
}

/** Appended, written as records of six, joined, published and covered by a receipt. */
function throughOutbox(): number {
  const disk = virtualDisk();
  const outbox = openOutbox({
    disk,
    clock: virtualClock(START),
    chance: seededChance(1),
    classOf: () => "sample",
  });
  const count = 300_000;
  const before = process.cpuUsage();
  for (let number = 1; number <= count; number++) {
    outbox.append({ device: "L1", measure: "power_W", at: (START + number) as Instant, value: number % 100 });
    if (number % 6 > 0) continue;
    outbox.flush();
    const batch = outbox.batch();
    if (batch !== undefined) outbox.receipt(outbox.epoch, batch.last);
  }
  return Math.round(count / spent_s(before));
}

/** Processor seconds of one day: heartbeats of all stations, and passages that light lamps and their neighbours. */
async function day(seed: number): Promise<number> {
  const territory = streets();
  const clock = virtualClock(START);
  const chance = seededChance(seed);
  const network = virtualNetwork(clock, chance.branch("network"));
  await network.broker.start({
    authenticate: () => true,
    mayPublish: () => true,
    maySubscribe: () => true,
    onMessage(station, topic, payload) {
      if (topic.endsWith("/readings")) {
        const { epoch, first, readings } = parseBatch(payload);
        const mark = { epoch, upTo: first + readings.length - 1 };
        network.broker.publish(down(territory.id, station, "receipt"), encodeMessage(mark));
      }
      return Promise.resolve();
    },
  });
  const passes: (() => void)[] = [];
  const before = process.cpuUsage();
  for (const { id } of territory.stations) {
    const { hardware, pass } = wired(() => clock.now());
    if (id.startsWith("S")) passes.push(() => pass(`P${id.slice(1)}`));
    createAgent({
      territory,
      station: id,
      hardware,
      uplink: network.uplink,
      disk: virtualDisk(),
      clock,
      chance: chance.branch(id),
      verifier: { verify: () => true },
      password: "",
      version: "bench",
    }).start();
  }
  await clock.run(instant(START + 60_000));
  const programme: Order = {
    action: "programme",
    steps: [{ at: START, idle: 0.2, active: 1 }],
    floor: 0.1,
    hold_s: 30,
  };
  for (const { id: device, station } of territory.luminaires) {
    const command = {
      id: device,
      station,
      device,
      sequence: 1,
      issuedAt: START,
      expiresAt: START + HOUR,
      order: programme,
    };
    network.broker.publish(down(territory.id, station, "command"), encodeMessage({ ...command, signature: "" }));
  }
  for (let passage = 0; passage < PASSAGES; passage++) {
    const pass = passes[Math.floor(chance.next() * passes.length)];
    // A third of a winter day's passages is after dusk.
    const hour = chance.next() < 0.35 ? 17 + chance.next() * 7 : 8 + chance.next() * 8;
    if (pass !== undefined) clock.after(seconds(hour * 3600), pass);
  }
  await clock.run(instant(START + DAY));
  return spent_s(before);
}

function spent_s(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** A board whose power follows the level at once. */
function wired(now: () => Instant): { hardware: Hardware; pass: (sensor: string) => void } {
  let listener: ((device: string, measure: string, at: Instant) => void) | undefined;
  const inputs: Record<string, number> = {
    failed: 0,
    energy_kWh: 1,
    burning_h: 1,
    fill: 0.3,
    collections: 0,
    temperature_C: 5,
  };
  let level = 0;
  let passed = 0;
  return {
    hardware: {
      read: (_, measure) => (measure === "power_W" ? 1 + 39 * level : measure === "passes" ? passed : inputs[measure]),
      write: (_, __, value) => (level = value),
      watch: (given) => (listener = given),
      close: () => {},
    },
    pass(sensor) {
      passed++;
      listener?.(sensor, "passes", now());
    },
  };
}

const at = (metres: number, street: number): [number, number] => [2.35 + metres * 1.319e-5, 47 + street * 0.01];

/** Parallel streets with a lamp and a sensor each 28 m on stations S…, and containers on stations C…. */
function streets(): Territory {
  const features: unknown[] = [];
  const add = (kind: string, id: string, coordinates: unknown, properties: object): void => {
    const type = kind === "street" ? "LineString" : "Point";
    features.push({ type: "Feature", geometry: { type, coordinates }, properties: { kind, id, ...properties } });
  };
  for (let street = 0; street < STREETS; street++) {
    const id = `street-${street}`;
    const properties = { name: id, highway: "residential", lightingClass: "P2", speed_kmh: 30, oneWay: false };
    add("street", id, [at(0, street), at(LAMPS * 28, street)], properties);
    for (let pole = 0; pole < LAMPS; pole++) {
      const name = String(street * LAMPS + pole);
      const place = at(pole * 28, street);
      const on = { station: `S${name}`, street: id };
      add("station", `S${name}`, place, {});
      add("luminaire", `L${name}`, place, { ...on, power_W: 40, height_m: 6, lightingClass: "P2" });
      add("presence", `P${name}`, place, on);
    }
  }
  for (let container = 0; container < CONTAINERS; container++) {
    const station = `C${container}`;
    add("station", station, at(container, 0), {});
    const properties = { station, stream: "glass", volume_L: 1000, place: "housing", service_s: 60 };
    add("container", `bin-${container}`, at(container, 0), properties);
  }
  const vigie = { version: 1, id: "bench", name: "Bench", timeZone: "Europe/Paris", position: [2.35, 47] };
  return parseTerritory({ type: "FeatureCollection", vigie, features });
}
