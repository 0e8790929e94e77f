import { randomBytes } from "node:crypto";
import { stepAt } from "#control/lighting/steps.ts";
import { LAMP_RULES } from "#protocol/kinds.ts";
import type { Command, OrderOf, Reading } from "#protocol/messages.ts";
import { encodeBatch, encodeMessage } from "#protocol/messages.ts";
import { seededChance } from "#protocol/chance.ts";
import type { Luminaire, Territory } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import { up } from "#protocol/topics.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, instant, MINUTE } from "#protocol/units.ts";
import { virtualClock, type VirtualClock } from "#rehearsal/clock.ts";
import { createApi, type Api } from "#server/api/api.ts";
import { createServer, type Server } from "#server/server.ts";
import { openState } from "#server/state.ts";
import { memoryStore } from "#server/store/memory.ts";
import { generateTown } from "#simulators/generate.ts";
import { listBroker, signer } from "../server/village.ts";

/**
 * The default town's real server and API at 23:41 on a winter night, with a day behind it. Its stations are a script: they
 * say what a page has to show, good and bad, the same in every run.
 */
export interface NightTown {
  readonly url: string;
  readonly api: Api;
  readonly server: Server;
  readonly clock: VirtualClock;
  readonly territory: Territory;
  /** An address that signs in an administrator called Anna, once. */
  signInLink(): string;
  /** Lets the town's time pass and everything due happen. */
  pass(duration_s: number): Promise<void>;
  /** A lamp with power in the middle of a street: a good place for somebody to walk by. */
  readonly walked: Luminaire;
  /** Somebody is under this lamp: it and its neighbours on the street are bright. */
  someoneAt(lamp: string): Promise<void>;
  stop(): Promise<void>;
}

const START = instant(Date.UTC(2026, 10, 23, 20));
export const NIGHT = instant(Date.UTC(2026, 10, 24, 22, 41));
const TICK_MS = 15 * MINUTE;
/** A junction says something every minute; less would be silence. */
const BEAT_MS = 2.5 * MINUTE;

interface Lamp {
  readonly luminaire: Luminaire;
  programme: OrderOf<"programme"> | undefined;
  override: OrderOf<"lamp-override"> | undefined;
  presenceUntil: number;
  energy_kWh: number;
  told: string;
}

export interface Size {
  readonly lamps?: number;
  readonly containers?: number;
  readonly junctions?: number;
}
/** A town of every kind of thing and few of each, for what does not depend on how many there are. */
export const VILLAGE: Size = { lamps: 72, containers: 24, junctions: 3 };

export async function nightTown(size: Size = {}, preparing = false): Promise<NightTown> {
  const geojson = generateTown({ seed: 7, ...size });
  const territory = parseTerritory(geojson);
  const clock = virtualClock(START);
  const state = openState(":memory:", territory.id);
  const broker = listBroker((command) => answers.push(command));
  const answers: Command[] = [];
  const server = createServer({
    territory,
    clock: clock.settling,
    broker,
    store: memoryStore(),
    state,
    signer,
    secret: randomBytes(32),
    randomBytes: (size) => randomBytes(size),
  });
  const wall = {
    now: () => Date.now() as Instant,
    after: (delay: number, act: () => void) =>
      (
        (timer) => () =>
          clearTimeout(timer)
      )(setTimeout(act, delay * 1000)),
  };
  const api = await createApi({
    territory,
    geojson,
    version: "test",
    clock,
    wall,
    limits: { requestsAMinute: 100_000 },
    log: (line) => console.error(line),
  });
  await server.start();
  const street = script(territory, clock, broker.handlers);

  for (let at = START; at < NIGHT; at = (at + TICK_MS) as Instant) {
    await clock.run(at);
    for (const command of answers.splice(0)) await street.obey(command);
    await street.tick();
    for (let beat = at + BEAT_MS; beat < at + TICK_MS; beat += BEAT_MS) {
      await clock.run(beat as Instant);
      await street.beat();
    }
  }
  await clock.run(NIGHT);
  await street.tick();
  await street.trouble();
  // The watch looks every 15 s: what was only late is cleared before anybody sees it.
  for (let look = 0; look < 4; look++) {
    for (const command of answers.splice(0)) await street.obey(command);
    await street.beat();
    await clock.run((clock.now() + 15_000) as Instant);
  }

  api.admit(server.access);
  if (preparing) api.progress(0.42);
  else api.ready(server);
  const url = await api.listen(0, "127.0.0.1");
  let beatAt = 0;
  let passing = Promise.resolve();
  const pass = (duration_s: number): Promise<void> => {
    const before = passing;
    passing = (async () => {
      await before;
      await clock.run((clock.now() + duration_s * 1000) as Instant);
      for (const command of answers.splice(0)) await street.obey(command);
      if (clock.now() < beatAt) return;
      beatAt = clock.now() + MINUTE;
      await street.beat();
    })();
    return passing;
  };
  const life = setInterval(() => void pass(0.25), 250);
  return {
    url,
    api,
    server,
    clock,
    territory,
    walked: street.walked(),
    signInLink: () => `${url}/sign-in#${server.access.signInLink("Anna", "administrator")}`,
    pass,
    async someoneAt(lamp) {
      await passing;
      await street.someoneAt(lamp);
    },
    async stop() {
      clearInterval(life);
      await passing;
      await api.close();
      await server.stop();
      state.close();
    },
  };
}

/** The stations' part: what each says, and how it takes an order. */
function script(territory: Territory, clock: VirtualClock, handlers: ReturnType<typeof listBroker>["handlers"]) {
  const chance = seededChance("the console's night");
  const numbers = new Map<string, number>();
  const lamps = new Map<string, Lamp>(
    territory.luminaires.map((luminaire) => [
      luminaire.id,
      { luminaire, programme: undefined, override: undefined, presenceUntil: 0, energy_kWh: 0, told: "" },
    ]),
  );
  const fills = new Map(territory.containers.map(({ id }) => [id, 0.1 + 0.75 * chance.next()]));
  const rates = new Map(territory.containers.map(({ id }) => [id, 0.004 + 0.012 * chance.next()]));
  const vehicles = new Map<string, number>();
  const silent = new Set<string>();

  const say = async (station: string, values: readonly (readonly [string, string, number])[]): Promise<void> => {
    if (values.length === 0 || silent.has(station)) return;
    const at = clock.now();
    const first = numbers.get(station) ?? 1;
    if (first === 1) await status(station, true);
    numbers.set(station, first + values.length);
    const readings: Reading[] = values.map(([device, measure, value]) => ({ device, measure, at, value }));
    const taken = handlers?.onMessage(
      station,
      up(territory.id, station, "readings"),
      encodeBatch({ epoch: "e1", after: first - 1, first, readings }),
    );
    pending.push(taken ?? Promise.resolve());
  };
  const pending: Promise<void>[] = [];
  const settle = async (): Promise<void> => {
    await clock.run((clock.now() + 60) as Instant);
    await Promise.all(pending.splice(0));
  };
  const status = async (station: string, online: boolean): Promise<void> => {
    const since = clock.now();
    const message = encodeMessage({ online, since, version: "1.0.0", clock: since, waiting: 0, dropped: 0 });
    await handlers?.onMessage(station, up(territory.id, station, "status"), message);
  };

  const lampValues = (lamp: Lamp): readonly (readonly [string, string, number])[] => {
    const { id, power_W } = lamp.luminaire;
    const [level, rule] = levelOf(lamp, clock.now());
    const power = level === 0 ? 0.5 : 0.5 + power_W * level ** 1.05;
    return [
      [id, "level", level],
      [id, "rule", LAMP_RULES.indexOf(rule)],
      [id, "power_W", power],
      [id, "energy_kWh", lamp.energy_kWh],
      [id, "failed", 0],
    ];
  };
  const sayLamp = (lamp: Lamp): Promise<void> => say(lamp.luminaire.station, lampValues(lamp));

  return {
    async tick(): Promise<void> {
      const now = clock.now();
      const hour = hourOf(now);
      const busy = busyAt(now);
      for (const lamp of lamps.values()) {
        const [, , [, , power]] = lampValues(lamp) as [unknown, unknown, readonly [string, string, number]];
        lamp.energy_kWh += (power / 1000) * (TICK_MS / HOUR);
        lamp.presenceUntil = chance.next() < busy ? now + 40_000 : 0;
        await sayLamp(lamp);
      }
      for (const { id, station } of territory.presences)
        await say(station, [[id, "passes", Math.round(((now - START) / HOUR) * 20 * busy * 4)]]);
      for (const { id, station } of territory.containers) {
        const fill = fills.get(id) as number;
        const emptied = fill > 0.86 && hour > 7 && hour < 7.3;
        fills.set(id, emptied ? 0.05 : Math.min(0.93, fill + (rates.get(id) as number) * (0.3 + busy * 2)));
        if (now % HOUR < TICK_MS)
          await say(station, [
            [id, "fill", fills.get(id) as number],
            [id, "temperature_C", 6],
          ]);
      }
      for (const { id, station } of territory.photocells)
        await say(station, [[id, "illuminance_lx", hour > 8 && hour < 16.7 ? 9000 : 0]]);
      for (const { id, station } of territory.weathers)
        await say(station, [
          [id, "temperature_C", 5],
          [id, "rain_mm_h", 0.4],
          [id, "wind_m_s", 3],
        ]);
      for (const { id, station } of territory.meters) await say(station, [[id, "power_W", 800]]);
      for (const depot of territory.depots)
        for (const { id, station } of depot.vehicles)
          await say(station, [
            [id, "stop", hour > 6 && hour < 14 ? 4 : 0],
            [id, "load_kg", 0],
          ]);
      await this.beat();
    },
    /** What junctions say. */
    async beat(): Promise<void> {
      const now = clock.now();
      const busy = busyAt(now);
      for (const { id, station } of territory.detectors) {
        vehicles.set(id, (vehicles.get(id) ?? 0) + Math.round(busy * 44 * chance.next()));
        await say(station, [
          [id, "vehicles", vehicles.get(id) as number],
          [id, "occupancy", Math.min(0.9, busy * 1.5 * chance.next())],
        ]);
      }
      for (const [index, junction] of territory.junctions.entries()) {
        const stage = Math.floor(chance.next() * junction.stages.length);
        const greens = (junction.stages[stage]?.groups ?? []).reduce(
          (mask, group) => mask | (1 << junction.groups.findIndex((each) => each.id === group)),
          0,
        );
        const wait = now >= NIGHT && index === 2 ? 48 : Math.round(12 + 70 * busy * (0.5 + chance.next()));
        await say(junction.station, [
          [junction.id, "stage", stage],
          [junction.id, "greens", greens >>> 0],
          [junction.id, "longest_wait_s", wait],
          [junction.id, "queue", now >= NIGHT && index === 2 ? 5 : Math.round(busy * 24 * chance.next())],
          [junction.id, "mode", 0],
          [junction.id, "terminations", Math.round((now - START) / 60_000)],
        ]);
      }
      for (const { id, station } of territory.buttons)
        await say(station, [
          [id, "calls", Math.round((now - START) / HOUR)],
          [id, "waiting", chance.next() < 0.25 ? 1 : 0],
        ]);
      await settle();
    },
    /** What needs a person tonight: a feeder without power, a lamp, a container, a wrong reading. */
    async trouble(): Promise<void> {
      const feeders = Map.groupBy(territory.luminaires, (lamp) => lamp.feeder ?? "");
      const [, dark] = [...feeders].sort(([, one], [, other]) => one.length - other.length)[0] ?? ["", []];
      for (const { station } of dark) {
        await status(station, false);
        silent.add(station);
      }
      const failed = territory.luminaires.filter((lamp) => !silent.has(lamp.station))[40];
      if (failed !== undefined)
        await say(failed.station, [
          [failed.id, "failed", 1],
          [failed.id, "level", 0],
          [failed.id, "power_W", 0],
        ]);
      const full = territory.containers[11];
      if (full !== undefined) await say(full.station, [[full.id, "fill", 0.97]]);
      const odd = territory.containers[20];
      if (odd !== undefined)
        await say(odd.station, [
          [odd.id, "fill", 7.2],
          [odd.id, "temperature_C", 6],
        ]);
      await settle();
      for (let minute = 0; minute < 6; minute++) {
        await clock.run((clock.now() + MINUTE) as Instant);
        await this.beat();
      }
      const walk = territory.luminaires
        .filter((lamp) => !silent.has(lamp.station) && lamp.street === territory.luminaires[0]?.street)
        .slice(2, 6);
      for (const each of walk) await this.someoneAt(each.id);
    },
    walked(): Luminaire {
      const quiet = [...lamps.values()].filter(({ luminaire, programme, presenceUntil }) => {
        const step = programme === undefined ? undefined : stepAt(programme.steps, clock.now()).step;
        return presenceUntil === 0 && !silent.has(luminaire.station) && step !== undefined && step.active > step.idle;
      });
      const streets = [...Map.groupBy(quiet, ({ luminaire }) => luminaire.street).values()];
      const [longest = []] = streets.sort((one, other) => other.length - one.length);
      const middle = longest[Math.floor(longest.length / 2)];
      if (middle === undefined) throw new Error("the town has no street that goes quiet");
      return middle.luminaire;
    },
    async someoneAt(id: string): Promise<void> {
      const lamp = lamps.get(id);
      if (lamp === undefined) return;
      const near = [...lamps.values()].filter(
        (each) => each.luminaire.street === lamp.luminaire.street && away_m(each.luminaire, lamp.luminaire) < 60,
      );
      for (const each of near) {
        each.presenceUntil = clock.now() + 40_000;
        await sayLamp(each);
      }
      await settle();
    },
    async obey({ id, device, station, sequence, order }: Command): Promise<void> {
      if (silent.has(station)) return;
      const answer = encodeMessage({ command: id, device, sequence, at: clock.now(), outcome: "applied" });
      await handlers?.onMessage(station, up(territory.id, station, "applied"), answer);
      const lamp = lamps.get(device);
      if (lamp === undefined) return;
      if (order.action === "programme") lamp.programme = order;
      if (order.action === "lamp-override") lamp.override = order;
      if (order.action === "release") lamp.override = undefined;
      if (order.action !== "programme") {
        await sayLamp(lamp);
        await settle();
      }
    },
  };
}

/** What a lamp does by its orders and by who is near, and the rule of it. */
const levelOf = (lamp: Lamp, now: number): readonly [number, (typeof LAMP_RULES)[number]] => {
  if (lamp.override !== undefined && lamp.override.until > now) return [lamp.override.level, "override"];
  const step = lamp.programme === undefined ? undefined : stepAt(lamp.programme.steps, now).step;
  if (step === undefined || step.active === 0) return [0, "daylight"];
  return lamp.presenceUntil > now ? [step.active, "presence"] : [step.idle, "programme"];
};

/** The hour of the town's day, in winter an hour ahead of UTC. */
const hourOf = (now: number): number => (now / HOUR + 1) % 24;

/** How busy the streets are, 0 to about a third. */
function busyAt(now: number): number {
  const hour = hourOf(now);
  return 0.02 + 0.3 * Math.exp(-(((hour - 18) / 4) ** 2)) + 0.18 * Math.exp(-(((hour - 8) / 2) ** 2));
}

function away_m(one: Luminaire, other: Luminaire): number {
  const squeeze = Math.cos((one.position[1] * Math.PI) / 180);
  return 111_320 * Math.hypot((one.position[0] - other.position[0]) * squeeze, one.position[1] - other.position[1]);
}
