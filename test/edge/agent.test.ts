import { describe, expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { Fault } from "#protocol/faults.ts";
import type { Order } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import type { Agent } from "#edge/agent.ts";
import { createAgent } from "#edge/agent.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import type { VirtualDisk } from "#rehearsal/disk.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { virtualNetwork } from "#rehearsal/network.ts";
import { office } from "./office.ts";
import { WINTER_NIGHT, bench, commandOf, lengthVerifier, streetOf } from "./street.ts";

const territory = streetOf(4);
const START = WINTER_NIGHT;

/** A street with its agents, the line and the office at its other end, on virtual time. */
async function town() {
  const clock = virtualClock(START);
  const chance = seededChance("agents");
  const network = virtualNetwork(clock, chance.branch("network"));
  const desk = office(network.broker, territory.id, new Set(["rue"]));
  await desk.open();
  const station = (id: string, disk: VirtualDisk = virtualDisk()) => {
    const hardware = bench();
    for (const device of territory.byStation.get(id) ?? []) {
      const inputs = {
        power_W: 40,
        energy_kWh: 1,
        burning_h: 1,
        failed: 0,
        passes: 0,
        fill: 0.2,
        collections: 0,
        temperature_C: 8,
      };
      for (const [measure, value] of Object.entries(inputs)) hardware.values.set(`${device.id} ${measure}`, value);
    }
    const agent: Agent = createAgent({
      territory,
      station: id,
      hardware,
      uplink: network.uplink,
      disk,
      clock,
      chance: chance.branch(id),
      verifier: lengthVerifier,
      password: `password of ${id}`,
      version: "0.1.0",
    });
    return { agent, hardware, disk };
  };
  const after = (s: number): Promise<void> => clock.run(Math.round(clock.now() + s * 1000) as Instant);
  return { clock, network, desk, station, after, chance };
}

describe("An agent", () => {
  test("says what all its devices read when it starts, and its status", async () => {
    const { desk, station, after } = await town();
    station("S-1").agent.start();
    await after(2);
    expect(desk.statuses).toEqual([
      { station: "S-1", status: expect.objectContaining({ online: true, version: "0.1.0", dropped: 0 }) },
    ]);
    const measures = desk.received.map(({ reading }) => `${reading.device} ${reading.measure}`).toSorted();
    expect(measures).toEqual(
      ["L1 burning_h", "L1 energy_kWh", "L1 failed", "L1 level", "L1 power_W", "L1 rule", "P1 passes"].toSorted(),
    );
  });

  test("reports each measure at least as often as its kind asks, and an idle one not more often", async () => {
    const { desk, station, after } = await town();
    station("S-END").agent.start();
    await after(24 * 3600);
    // The level of a container every hour, at the start and 24 times; its temperature every two; collections once a day.
    expect(desk.values("C1", "fill")).toHaveLength(25);
    expect(desk.values("C1", "temperature_C")).toHaveLength(13);
    expect(desk.values("C1", "collections")).toHaveLength(2);
  });

  test("reports at once what moves beyond its dead band, and keeps quiet about what does not", async () => {
    const { desk, station, after, clock } = await town();
    const { agent, hardware } = station("S-END");
    agent.start();
    await after(10);
    hardware.move("C1", "fill", 0.24, clock.now());
    await after(2);
    expect(desk.values("C1", "fill")).toEqual([0.2]);
    hardware.move("C1", "fill", 0.26, clock.now());
    await after(2);
    expect(desk.values("C1", "fill")).toEqual([0.2, 0.26]);
  });

  test("notices within five minutes what moved without a word from the wiring", async () => {
    const { desk, station, after } = await town();
    const { agent, hardware } = station("S-END");
    agent.start();
    await after(10);
    hardware.values.set("C1 collections", 1);
    await after(301);
    expect(desk.values("C1", "collections")).toEqual([0, 1]);
  });

  test("makes one batch of what a passage moves, and reports the power when the driver has settled", async () => {
    const { desk, station, after, clock } = await town();
    const { agent, hardware } = station("S-1");
    agent.start();
    await after(10);
    const programme: Order = {
      action: "programme",
      steps: [{ at: START, idle: 0.2, active: 1 }],
      floor: 0.1,
      hold_s: 30,
    };
    desk.command(commandOf("S-1", "L1", 1, programme, clock.now()));
    await after(10);
    hardware.values.set("L1 power_W", 9);
    await after(400);
    const before = desk.batches;
    hardware.move("P1", "passes", 1, clock.now());
    hardware.values.set("L1 power_W", 40);
    await after(8);
    // One batch with level and rule, one with the power.
    expect(desk.batches - before).toBe(2);
    expect(desk.values("L1", "level").at(-1)).toBe(1);
    expect(desk.values("L1", "power_W").at(-1)).toBe(40);
  });

  test("spreads the reports of many stations over the quarter of an hour", async () => {
    const { clock, desk, station, after } = await town();
    for (let pole = 1; pole <= 4; pole++) station(`S-${pole}`).agent.start();
    await after(10);
    const started = desk.received.length;
    await after(900);
    const times = new Set(desk.received.slice(started).map(({ reading }) => reading.at));
    expect(times.size).toBe(4);
    expect(Math.max(...times)).toBeLessThanOrEqual(clock.now());
  });

  test("lights its neighbour when someone passes, with no server in between", async () => {
    const { network, clock, desk, station, after } = await town();
    const [one, two, four] = [station("S-1"), station("S-2"), station("S-4")];
    for (const { agent } of [one, two, four]) agent.start();
    await after(5);
    const order: Order = { action: "programme", steps: [{ at: START, idle: 0.2, active: 1 }], floor: 0.1, hold_s: 30 };
    for (const pole of [1, 2, 4]) desk.command(commandOf(`S-${pole}`, `L${pole}`, 1, order, clock.now()));
    await after(5);
    const heard = desk.batches;
    one.hardware.move("P1", "passes", 1, clock.now());
    await after(0.2);
    expect(desk.batches).toBe(heard);
    expect(two.hardware.values.get("L2 level")).toBe(1);
    expect(four.hardware.values.get("L4 level")).toBe(0.2);
    expect(network.faults.brokerGone).toBe(false);
  });

  test("acts on a command within two seconds, answers it, and answers a repetition without acting again", async () => {
    const { desk, station, after, clock } = await town();
    const { agent, hardware } = station("S-1");
    agent.start();
    await after(5);
    const command = commandOf("S-1", "L1", 1, { action: "lamp-override", level: 0.6, until: START + 3_600_000 }, START);
    desk.command(command);
    await after(2);
    expect(hardware.values.get("L1 level")).toBe(0.6);
    expect(desk.values("L1", "level").at(-1)).toBe(0.6);
    desk.command(command);
    await after(2);
    expect(desk.answers.map(({ outcome }) => outcome)).toEqual(["applied", "applied"]);
    expect(hardware.written.filter(({ value }) => value === 0.6)).toHaveLength(1);
    expect(clock.now()).toBeGreaterThan(START);
  });

  test("counts what it cannot read, and goes on", async () => {
    const { network, desk, station, after, clock } = await town();
    const { agent } = station("S-1");
    agent.start();
    await after(5);
    network.broker.publish(`vigie/1/testville/S-1/down/command`, new TextEncoder().encode("{"));
    network.broker.publish(`vigie/1/testville/S-1/down/receipt`, new Uint8Array(70_000));
    desk.command(commandOf("S-1", "L1", 1, { action: "release" }, clock.now()));
    await after(2);
    expect(agent.stats().unreadable).toBe(2);
    expect(desk.answers).toHaveLength(1);
  });

  test("does not start where the territory has no such station", async () => {
    const { station } = await town();
    expect(() => station("S-99").agent.start()).toThrow(Fault);
  });

  test("gives its vehicle's round to the crew, and still has it after a restart", async () => {
    const { desk, station, after, clock } = await town();
    const first = station("S-V");
    first.agent.start();
    await after(2);
    const order: Order = { action: "round", round: "r1", stops: [{ site: "C1", what: "container", eta: START }] };
    desk.command(commandOf("S-V", "V1", 1, order, clock.now()));
    await after(2);
    expect(first.hardware.values.get("V1 round")).toBe(1);
    first.agent.stop();
    const again = station("S-V", first.disk);
    again.agent.start();
    const behaviour = again.agent.behaviour("V1") as { round?: () => Order | undefined };
    expect(behaviour.round?.()).toEqual(order);
  });
});

/** What the station read, from its own hardware's counter: each value once. */
const count = (hardware: ReturnType<typeof bench>, clock: { now(): Instant }, to: number): void =>
  hardware.move("C1", "collections", to, clock.now());
const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, index) => index);

describe("Through everything the line does", () => {
  test("an agent waits on its disk while the broker is away, and sends all of it in order afterwards", async () => {
    const { network, clock, desk, station, after } = await town();
    const { agent, hardware } = station("S-END");
    agent.start();
    await after(5);
    network.killBroker();
    for (let collection = 1; collection <= 50; collection++) {
      count(hardware, clock, collection);
      await after(30);
    }
    expect(agent.stats()).toMatchObject({ up: false, waiting: expect.any(Number) });
    expect(agent.stats().waiting).toBeGreaterThanOrEqual(50);
    await desk.open();
    await after(130);
    expect(desk.values("C1", "collections")).toEqual(upTo(50));
    expect(agent.stats()).toMatchObject({ up: true, waiting: 0 });
  });

  test("an agent comes back with ever longer pauses, up to a minute", async () => {
    const { network, clock, station, after } = await town();
    network.faults.brokerGone = true;
    const attempts: number[] = [];
    const { uplink } = network;
    const counted = {
      connect: (options: Parameters<typeof uplink.connect>[0]) => (attempts.push(clock.now()), uplink.connect(options)),
    };
    const { hardware, disk } = station("S-1");
    const agent = createAgent({
      territory,
      station: "S-1",
      hardware,
      uplink: counted,
      disk,
      clock,
      chance: seededChance(3),
      verifier: lengthVerifier,
      password: "password of S-1",
      version: "0.1.0",
    });
    agent.start();
    await after(1000);
    const pauses = attempts.slice(1).map((at, index) => (at - (attempts[index] as number)) / 1000);
    // Half of the pause is drawn by chance: 0.5 to 1 s first, 1 to 2 s then, and never more than the minute.
    expect(pauses[0]).toBeLessThan(1.2);
    expect(Math.max(...pauses)).toBeLessThan(60.2);
    expect(pauses.slice(-5).every((pause) => pause >= 30)).toBe(true);
  });

  test("nothing is lost or told twice over a line that delays, duplicates, reorders and breaks", async () => {
    const { network, clock, desk, station, after, chance } = await town();
    const luck = chance.branch("weather");
    const { agent, hardware } = station("S-END");
    agent.start();
    Object.assign(network.faults, { delay_s: 2, duplicated: 0.3, reordered: 0.3 });
    for (let collection = 1; collection <= 400; collection++) {
      count(hardware, clock, collection);
      await after(3 * luck.next());
      if (luck.next() < 0.05) network.killBroker();
      if (luck.next() < 0.2) await desk.open();
    }
    Object.assign(network.faults, { delay_s: 0, duplicated: 0, reordered: 0 });
    await desk.open();
    await after(200);
    expect(desk.values("C1", "collections")).toEqual(upTo(400));
    expect(agent.stats().waiting).toBe(0);
  });

  test("an agent goes back at once to a server that stands further back than it had said", async () => {
    const { clock, desk, station, after } = await town();
    const { agent, hardware } = station("S-END");
    agent.start();
    await after(5);
    // The server was restored from before it had heard of this station.
    const mark = desk.marks.get("S-END");
    expect(mark?.upTo).toBe(3);
    if (mark !== undefined) mark.upTo = 0;
    count(hardware, clock, 1);
    await after(3);
    expect(desk.values("C1", "collections")).toEqual([0, 1]);
    expect(agent.stats().waiting).toBe(0);
  });

  test("a batch whose receipt was lost is sent again, and stored once", async () => {
    const { clock, desk, station, after } = await town();
    const { agent, hardware } = station("S-END");
    agent.start();
    await after(5);
    desk.silent = true;
    count(hardware, clock, 1);
    await after(5);
    desk.silent = false;
    expect(agent.stats().waiting).toBe(1);
    await after(25);
    expect(agent.stats().waiting).toBe(0);
    expect(desk.values("C1", "collections")).toEqual([0, 1]);
  });

  test("an answer that the line lost is given again when the line is back, unasked", async () => {
    const { network, desk, station, after } = await town();
    const { agent, hardware } = station("S-1");
    agent.start();
    await after(5);
    desk.command(commandOf("S-1", "L1", 1, { action: "lamp-override", level: 0.6, until: START + 3_600_000 }, START));
    // The command takes 20 to 40 ms; its answer as long again.
    while (hardware.values.get("L1 level") !== 0.6) await after(0.001);
    network.killBroker();
    await after(1);
    expect(desk.answers).toEqual([]);
    await desk.open();
    await after(10);
    expect(desk.answers).toEqual([expect.objectContaining({ command: "c-L1-1", outcome: "applied" })]);
  });

  test("a power cut costs at most what was read in the second before it", async () => {
    const { clock, desk, station, after, chance } = await town();
    const disk = virtualDisk();
    let { agent, hardware } = station("S-END", disk);
    agent.start();
    const luck = chance.branch("power");
    const lost: number[] = [];
    for (let collection = 1; collection <= 200; collection++) {
      count(hardware, clock, collection);
      const wait = 3 * luck.next();
      await after(wait);
      if (luck.next() < 0.1) {
        if (wait < 1) lost.push(collection);
        agent.cut();
        disk.crash(luck);
        ({ agent, hardware } = station("S-END", disk));
        hardware.values.set("C1 collections", collection);
        agent.start();
      }
    }
    await after(100);
    const values = desk.values("C1", "collections");
    expect(upTo(200).filter((value) => !values.includes(value) && !lost.includes(value))).toEqual([]);
    const numbers = desk.received.map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test("a station whose disk is full says so, keeps its lamp obeying the street, and drops only beyond its bound", async () => {
    const { clock, desk, station, after } = await town();
    const { agent, hardware, disk } = station("S-1");
    agent.start();
    await after(5);
    disk.full = true;
    hardware.move("L1", "failed", 1, clock.now());
    for (let passage = 1; passage <= 1500; passage++) {
      hardware.move("P1", "passes", passage * 6, clock.now());
      await after(1.5);
    }
    expect(agent.stats()).toMatchObject({ diskFailing: true, dropped: { event: 0 } });
    expect(agent.stats().dropped.sample).toBeGreaterThan(300);
    expect(hardware.values.get("L1 level")).toBe(1);
    disk.full = false;
    await after(900);
    expect(desk.values("L1", "failed")).toContain(1);
    expect(desk.statuses.at(-1)?.status.dropped).toBeGreaterThan(300);
    expect(agent.stats()).toMatchObject({ diskFailing: false, waiting: 0 });
  });
});
