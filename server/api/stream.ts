import type { ServerResponse } from "node:http";
import { Fault } from "#protocol/faults.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { every } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import type { StreamEventName, StreamEvents } from "./resources.ts";

export interface StreamLimits {
  /** Events remembered for those who come back; who was away for longer reads everything again. */
  readonly remembered: number;
  readonly clients: number;
  /** Bytes waiting for a slow reader; beyond, it is cut off and resumes when it can. */
  readonly waiting_B: number;
  readonly heartbeat_s: number;
}
export const STREAM_LIMITS: StreamLimits = { remembered: 4000, clients: 200, waiting_B: 1_000_000, heartbeat_s: 15 };

/** Server-sent events (WHATWG HTML, section 9.2) to everyone who listens, from a bounded memory of what was said. */
export interface Stream {
  say<Name extends StreamEventName>(name: Name, value: StreamEvents[Name]): void;
  /**
   * Adds a listener whose answer has been started; `lastEventId` is where it was. `dead` says that its session is over.
   * Raises Fault TOO_MANY beyond the limit of clients.
   */
  listen(response: ServerResponse, lastEventId: string | undefined, dead: () => boolean): void;
  /** Raises Fault TOO_MANY when no more can listen: to be asked before an answer is started. */
  admit(): void;
  clients(): number;
  close(): void;
}

interface Client {
  readonly response: ServerResponse;
  readonly dead: () => boolean;
}

/** `clock` is the one of the wall: heartbeats do not run faster in a faster town. */
export function createStream(clock: Clock, limits: StreamLimits = STREAM_LIMITS): Stream {
  // Numbers start again with the server: an id of an earlier life is known by its other beginning.
  const life = clock.now().toString(36);
  const ring: string[] = [];
  const clients = new Set<Client>();
  let last = 0;
  let heartbeat: Cancel | undefined;

  const write = (client: Client, text: string): void => {
    const { response } = client;
    if (response.writableLength > limits.waiting_B) {
      response.destroy();
      drop(client);
    } else response.write(text);
  };
  const drop = (client: Client): void => {
    clients.delete(client);
    if (clients.size > 0) return;
    heartbeat?.();
    heartbeat = undefined;
  };
  const beat = (): void => {
    for (const client of clients) {
      if (client.dead()) {
        client.response.end();
        drop(client);
      } else write(client, ": still here\n\n");
    }
  };

  return {
    say(name, value) {
      last++;
      const text = `id: ${life}-${last}\nevent: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
      ring[last % limits.remembered] = text;
      for (const client of clients) write(client, text);
    },
    admit() {
      if (clients.size >= limits.clients) {
        throw new Fault("TOO_MANY", { thing: "event streams", limit: limits.clients, retry_s: 30 });
      }
    },
    listen(response, lastEventId, dead) {
      this.admit();
      const client = { response, dead };
      clients.add(client);
      response.on("close", () => drop(client));
      heartbeat ??= every(clock, seconds(limits.heartbeat_s), beat);
      const missed = missedSince(lastEventId);
      // The id of the newest event comes along, so that a page that hears nothing more still resumes from here.
      const head = `retry: 2000\nid: ${life}-${last}\n`;
      if (missed === undefined) write(client, `${head}event: reset\ndata: {}\n\n`);
      else write(client, `retry: 2000\n\n${missed}`);
    },
    clients: () => clients.size,
    close() {
      heartbeat?.();
      heartbeat = undefined;
      for (const { response } of clients) response.end();
      clients.clear();
    },
  };

  /** What was said after the event with this id; undefined when it is not all known any more. */
  function missedSince(id: string | undefined): string | undefined {
    const [whose, number] = id?.split("-") ?? [];
    const from = Number(number);
    if (whose !== life || !Number.isInteger(from) || from > last || from < last - limits.remembered) return undefined;
    let missed = "";
    for (let each = from + 1; each <= last; each++) missed += ring[each % limits.remembered] ?? "";
    return missed;
  }
}
