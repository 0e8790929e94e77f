import { createPublicKey, verify } from "node:crypto";
import { createAgent } from "#edge/agent.ts";
import type { Agent } from "#edge/agent.ts";
import type { Hardware } from "#edge/hardware/hardware.ts";
import { seededChance } from "#protocol/chance.ts";
import type { Instant, Seconds } from "#protocol/units.ts";
import { later, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { keysFromSeed } from "#rehearsal/keys.ts";
import { mortalClock } from "#rehearsal/mortal.ts";
import { virtualNetwork } from "#rehearsal/network.ts";
import { stationPassword } from "#server/credentials.ts";
import { createServer } from "#server/server.ts";
import type { Server, ServerSettings } from "#server/server.ts";
import { openState } from "#server/state.ts";
import type { State } from "#server/state.ts";
import { memoryStore } from "#server/store/memory.ts";
import { MONDAY, village } from "./village.ts";

/** The village with a real agent on every station, a real server, and wires that a test can bend. */
export interface Streets {
  readonly server: Server;
  readonly state: State;
  readonly now: () => Instant;
  readonly faults: ReturnType<typeof virtualNetwork>["faults"];
  wait(time: Seconds): Promise<void>;
  /** What a device's inputs read. */
  set(device: string, measure: string, value: number): void;
  /** What was last written to an output, and when. */
  output(device: string, name: string): { readonly value: number; readonly at: Instant } | undefined;
  /** A crash of the server and a new start on what was on disk. */
  restart(): Promise<Server>;
  applyFaults(): void;
}

export async function streets(
  options: { readonly seed?: number; readonly start?: Instant; readonly settings?: ServerSettings } = {},
): Promise<Streets> {
  const { seed = 1, start = MONDAY } = options;
  const clock = virtualClock(start);
  const network = virtualNetwork(clock, seededChance(`network ${seed}`));
  const keys = keysFromSeed(seed);
  const publicKey = createPublicKey(keys.publicKeyPem);
  const state = openState(":memory:", village.id);
  const serverDisk = virtualDisk();
  const inputs = new Map<string, number>();
  // The loops are whole, and nobody is on them until a test says so.
  for (const { id } of village.detectors) {
    inputs.set(`${id} occupied`, 0);
    inputs.set(`${id} vehicles`, 0);
  }
  const outputs = new Map<string, { value: number; at: Instant }>();
  const watchers = new Map<string, (device: string, measure: string, at: Instant) => void>();

  const hardwareOf = (station: string): Hardware => ({
    read: (device, measure) => inputs.get(`${device} ${measure}`),
    write: (device, name, value) => void outputs.set(`${device} ${name}`, { value, at: clock.now() }),
    watch: (listener) => void watchers.set(station, listener),
    close: () => undefined,
  });

  const agents: Agent[] = [...village.byStation.keys()].map((station) =>
    createAgent({
      territory: village,
      station,
      hardware: hardwareOf(station),
      uplink: network.uplink,
      disk: virtualDisk(),
      clock,
      chance: seededChance(`${station} ${seed}`),
      verifier: {
        verify: (text, signature) => verify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64url")),
      },
      password: stationPassword(keys.secret, station),
      version: "test",
    }),
  );

  let life = mortalClock(clock.settling);
  const serve = (): Server =>
    createServer({
      territory: village,
      clock: life,
      broker: network.broker,
      store: memoryStore({ disk: serverDisk }),
      state,
      signer: keys.signer,
      secret: keys.secret,
      randomBytes: (size) => new Uint8Array(size),
      ...(options.settings && { settings: options.settings }),
    });
  let server = serve();
  await server.start();
  for (const agent of agents) agent.start();

  return {
    get server() {
      return server;
    },
    state,
    now: () => clock.now(),
    faults: network.faults,
    applyFaults: () => network.applyFaults(),
    wait: (time) => clock.run(later(clock.now(), time)),
    set(device, measure, value) {
      inputs.set(`${device} ${measure}`, value);
      const station = village.devices.get(device)?.station ?? "";
      watchers.get(station)?.(device, measure, clock.now());
    },
    output: (device, name) => outputs.get(`${device} ${name}`),
    async restart() {
      life.die();
      network.killBroker();
      server.kill();
      serverDisk.crash(seededChance(`crash ${seed}`));
      life = mortalClock(clock.settling);
      server = serve();
      await server.start();
      await clock.run(later(clock.now(), seconds(1)));
      return server;
    },
  };
}
