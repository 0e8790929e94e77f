import { afterEach, expect, test } from "vitest";
import { createLink } from "#edge/link.ts";
import { type Outbox, openOutbox } from "#edge/outbox.ts";
import { mqttUplink } from "#edge/ports/mqtt-uplink.ts";
import type { Uplink } from "#edge/uplink.ts";
import { seededChance } from "#protocol/chance.ts";
import { DAY, instant, seconds } from "#protocol/units.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { keysFromSeed } from "#rehearsal/keys.ts";
import { type Ledger, ledger } from "#rehearsal/ledger.ts";
import { embeddedBroker } from "#server/broker-aedes.ts";
import { stationPassword } from "#server/credentials.ts";
import { systemClock } from "#server/ports/clock.ts";
import { createServer } from "#server/server.ts";
import { openState } from "#server/state.ts";
import { describeDevices } from "#server/store/describe.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import type { Store } from "#server/store/store.ts";
import { lampTown } from "../../../bench/ingest-town.ts";
import { type Influxd, influxdPath, startInfluxd } from "../../influxd.ts";

const STATIONS = 40;
const territory = lampTown(STATIONS);
const describe = describeDevices(territory);

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

test.skipIf(influxdPath === undefined)(
  "five times kill -9 of influxd under load: every reading that was acknowledged is there once",
  async () => {
    // Without Flux it starts in a fifth of a second.
    const influxd = await startInfluxd({ flux: false });
    ending.push(() => influxd.stop());
    await killed(influxd, influx1Store({ url: influxd.url, database: "vigie", describe, clock: systemClock }), 5);
  },
);

test.skipIf(influxdPath === undefined)(
  "the same through the client of InfluxDB 2.x, once, since with Flux a start takes seconds",
  async () => {
    const influxd = await startInfluxd();
    ending.push(() => influxd.stop());
    const bucket = "vigie/raw";
    await killed(influxd, influx2Store({ url: influxd.url, org: "vigie", bucket, describe, clock: systemClock }), 1);
  },
  120_000,
);

test.skipIf(influxdPath === undefined)(
  "a server that starts while InfluxDB is down takes nothing, says so, and loses and doubles nothing of before once it is up",
  async () => {
    const influxd = await startInfluxd({ flux: false });
    ending.push(() => influxd.stop());
    const store = (): Store => influx1Store({ url: influxd.url, database: "vigie", describe, clock: systemClock });
    const account = ledger();
    const before = await serve(store());
    const street = publish(before.port, account);
    await until(() => before.ingest.stats().accepted > 1000);
    await before.stop();
    await influxd.kill();

    const server = await serve(store(), before.port);
    await later(5);
    expect(server.ingest.stats()).toMatchObject({ accepted: 0, early: 0, failing: { fault: { code: "STORE_UNREACHABLE" } } }); // prettier-ignore
    server.watch.look();
    expect(server.alarms.standing().map(({ key }) => key)).toContain("store-failing");
    expect(street.waiting()).toBeGreaterThan(1000);
    await influxd.start();
    await until(() => server.ingest.stats().accepted > 1000);
    street.still();
    await until(() => street.waiting() === 0);
    expect(server.ingest.stats().failing).toBeUndefined();
    expect(await account.settle(server.store)).toMatchObject({ lost: 0, duplicated: 0, examples: [] });
    expect(server.registry.value([...territory.devices.keys()][0] ?? "", "level")).toBeDefined();
  },
  120_000,
);

test.skipIf(influxdPath === undefined)(
  "kill -9 of influxd while readings are summed up: what is lacking is summed up the next time, by whoever asks",
  async () => {
    const influxd = await startInfluxd({ flux: false });
    ending.push(() => influxd.stop());
    const open = async (): Promise<Store> => {
      const store = influx1Store({ url: influxd.url, database: "vigie", describe, clock: systemClock });
      await store.open();
      ending.push(() => store.close());
      return store;
    };
    const days = 4;
    const from = Math.floor(Date.now() / DAY) * DAY - days * DAY;
    const devices = [...territory.devices.keys()].slice(0, 5);
    // Four readings an hour of each device.
    const readings = Array.from({ length: days * 96 }, (_, index) =>
      devices.map((device) => ({ device, measure: "level", at: instant(from + index * 900_000), value: index % 7 })),
    ).flat();
    const store = await open();
    await store.commit([{ station: "s", epoch: "e", first: 1, readings }]);
    let pauses = 0;
    const cut = store.compact?.(instant(from), async () => {
      if (++pauses === 5) await influxd.kill();
    });
    await expect(cut).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    await influxd.start();
    const next = await open();
    // Four times six hours were done.
    expect(await next.compact?.(instant(from), async () => {})).toBe(days * 24 - 24);
    const counted = new URLSearchParams({
      db: "vigie",
      q: `SELECT sum(count_level), count(count_level) FROM "hour".lamp`,
    });
    const answer = await (await fetch(`${influxd.url}/query?${counted}`)).text();
    expect(answer).toContain(`${readings.length},${days * 24 * devices.length}]`);
    expect(await next.compact?.(instant(from), async () => {})).toBe(0);
  },
);

async function killed(influxd: Influxd, store: Store, times: number): Promise<void> {
  const server = await serve(store);
  const account = ledger();
  const street = publish(server.port, account);
  const failing = (): string | undefined => server.ingest.stats().failing?.problem;
  const alarms = (): unknown[] => {
    server.watch.look();
    return server.alarms.standing().filter(({ key }) => key === "store-failing");
  };
  for (let kill = 1; kill <= times; kill++) {
    const { accepted } = server.ingest.stats();
    await until(() => server.ingest.stats().accepted > accepted + 1000);
    await influxd.kill();
    await until(() => failing() !== undefined);
    expect(failing()).toContain(`The time-series store at ${influxd.url}/vigie`);
    expect(failing()).toContain("does not answer");
    expect(alarms()).toHaveLength(1);
    await influxd.start();
  }
  street.still();
  await until(() => street.waiting() === 0);
  expect(alarms()).toEqual([]);
  const settled = await account.settle(server.store);
  expect(settled).toMatchObject({ lost: 0, duplicated: 0, examples: [] });
  expect(settled.acknowledged).toBeGreaterThan(times * 1000);
}

async function serve(store: Store, port = 0) {
  const keys = keysFromSeed(1);
  const state = openState(":memory:", territory.id);
  const broker = embeddedBroker({ host: "127.0.0.1", port, clock: systemClock });
  const server = createServer({
    territory,
    clock: systemClock,
    broker,
    store,
    state,
    signer: keys.signer,
    secret: keys.secret,
    randomBytes: (size) => new Uint8Array(size),
  });
  await server.start();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= server.stop());
  ending.push(stop);
  return { ...server, stop, port: broker.port };
}

/** Every station with its real outbox and link, and a reading every few milliseconds. */
function publish(port: number, account: Ledger): { still(): void; waiting(): number } {
  const outboxes: Outbox[] = [];
  const keys = keysFromSeed(1);
  let at = Date.now() - 60_000;
  const talks = [...territory.byStation].map(([station, [device]]) => {
    const chance = seededChance(station);
    const outbox = openOutbox({ disk: virtualDisk(), clock: systemClock, chance, classOf: () => "state" });
    outboxes.push(outbox);
    const link = createLink({
      territory: territory.id,
      station,
      streets: [],
      password: stationPassword(keys.secret, station),
      version: "test",
      uplink: witnessed(station, account, mqttUplink(`mqtt://127.0.0.1:${port}`)),
      outbox,
      clock: systemClock,
      ownClock: systemClock,
      chance,
      onCommand: () => {},
      onPassing: () => {},
      onServerTime: () => {},
    });
    link.start();
    ending.push(() => link.stop());
    return () => {
      outbox.append({ device: device?.id ?? "", measure: "level", at: instant(at), value: chance.next() });
      outbox.flush();
      link.send();
    };
  });
  const timer = setInterval(() => {
    at += 1;
    for (const talk of talks) talk();
  }, 20);
  ending.push(() => clearInterval(timer));
  return {
    still: () => clearInterval(timer),
    waiting: () => outboxes.reduce((sum, { waiting }) => sum + waiting, 0),
  };
}

/** Writes down what went out, and what was acknowledged. */
const witnessed = (station: string, account: Ledger, uplink: Uplink): Uplink => ({
  connect(session) {
    const connected = uplink.connect(session);
    return {
      ...connected,
      publish(topic, payload, options, onAcknowledged) {
        const isReadings = topic.endsWith("/readings");
        if (isReadings) account.published(station, payload);
        connected.publish(topic, payload, options, () => {
          if (isReadings) account.acknowledged(station, payload);
          onAcknowledged?.();
        });
      },
    };
  },
});

const later = (wait_s: number): Promise<void> =>
  new Promise((resolve) => systemClock.after(seconds(wait_s), () => resolve()));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await later(0.02);
}
