import { seededChance } from "#protocol/chance.ts";
import type { Reading } from "#protocol/messages.ts";
import { createServer, type Server } from "#server/server.ts";
import type { State } from "#server/state.ts";
import { memoryStore } from "#server/store/memory.ts";
import type { Store } from "#server/store/store.ts";
import type { VirtualClock } from "./clock.ts";
import type { VirtualDisk } from "./disk.ts";
import type { keysFromSeed } from "./keys.ts";
import { mortalClock } from "./mortal.ts";
import type { VirtualNetwork } from "./network.ts";
import type { RehearsalOptions } from "./rehearse.ts";

/** The machine that the server runs on: it can be switched off in the middle of anything, and on again. */
export interface ServerHost {
  /** Undefined while it is off. */
  readonly running: { readonly server: Server; readonly store: Store } | undefined;
  start(): Promise<void>;
  kill(): void;
  revive(): Promise<{ readonly server: Server; readonly store: Store }>;
  stop(): Promise<void>;
}

export function serverHost(parts: {
  options: Pick<RehearsalOptions, "territory" | "seed" | "replaced" | "chronicle">;
  clock: VirtualClock;
  network: VirtualNetwork;
  state: State;
  /** Where the store keeps its log; without it a server that is killed forgets its readings. */
  disk: VirtualDisk | undefined;
  keys: ReturnType<typeof keysFromSeed>;
  readonly refused: (reading: Reading) => void;
}): ServerHost {
  const { options, clock, network, state, disk, keys, refused } = parts;
  const { replaced = {} } = options;
  const chance = seededChance(`tokens ${options.seed}`);
  let life: { server: Server; store: Store; die(): void } | undefined;
  const boot = async (): Promise<{ server: Server; store: Store }> => {
    const mortal = mortalClock(clock.settling);
    const memory = memoryStore(disk && { disk });
    const store = replaced.store?.(memory, mortal) ?? memory;
    const server = createServer({
      territory: options.territory,
      clock: mortal,
      broker: network.broker,
      store,
      state,
      signer: keys.signer,
      secret: keys.secret,
      quarantined: ({ reading }) => reading !== undefined && refused(reading),
      ...(options.chronicle === true && { chronicle: { version: "rehearsal" } }),
      ...(replaced.acknowledge && { acknowledge: replaced.acknowledge }),
      randomBytes: (size) => Uint8Array.from({ length: size }, () => Math.floor(chance.next() * 256)),
    });
    await server.start();
    life = { server, store, die: () => mortal.die() };
    return life;
  };
  const host: ServerHost = {
    get running() {
      return life;
    },
    start: async () => void (await boot()),
    kill() {
      if (life === undefined) return;
      life.server.kill();
      life.die();
      life = undefined;
      network.killBroker();
    },
    revive: () => (life === undefined ? boot() : Promise.resolve(life)),
    stop: async () => {
      // The store stays open for those who go on from here; its log is on the virtual disk.
      life?.server.kill();
      life?.die();
      network.killBroker();
      life = undefined;
    },
  };
  return host;
}
