import type { ServerResponse } from "node:http";
import { Fault, type Language } from "#protocol/faults.ts";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { every } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import type { StreamEventName, StreamEvents } from "./resources.ts";

export interface StreamLimits {
  /** Events remembered for those who come back, and their characters; who was away for longer reads everything again. */
  readonly remembered: number;
  readonly remembered_chars: number;
  readonly clients: number;
  /** Bytes waiting for a slow reader; beyond, it is cut off and resumes when it can. */
  readonly waiting_B: number;
  readonly heartbeat_s: number;
}
export const STREAM_LIMITS: StreamLimits = {
  remembered: 4000,
  remembered_chars: 2_000_000,
  clients: 200,
  waiting_B: 1_000_000,
  heartbeat_s: 15,
};

/** Server-sent events (WHATWG HTML, section 9.2) to everyone who listens, from a bounded memory of what was said. */
export interface Stream {
  say<Name extends StreamEventName>(name: Name, value: StreamEvents[Name]): void;
  /** Says what has a sentence in it, to each in their language. */
  sayIn<Name extends StreamEventName>(name: Name, value: (language: Language) => StreamEvents[Name]): void;
  /** Adds a listener whose answer has been started. Raises Fault TOO_MANY beyond the limit of clients. */
  listen(response: ServerResponse, listener: Listener): void;
  /** Raises Fault TOO_MANY when no more can listen: to be asked before an answer is started. */
  admit(): void;
  clients(): number;
  close(): void;
}

export interface Listener {
  readonly language: Language;
  /** The last event it heard, when it comes back. */
  readonly lastEventId: string | undefined;
  /** Whether its session is over. */
  readonly dead: () => boolean;
}

interface Client extends Listener {
  readonly response: ServerResponse;
}
type Said = Readonly<Record<Language, string>>;

/** `clock` is the one of the wall: heartbeats do not run faster in a faster town. */
export function createStream(clock: Clock, limits: StreamLimits = STREAM_LIMITS): Stream {
  // Numbers start again with the server: an id of an earlier life is known by its other beginning.
  const life = clock.now().toString(36);
  /** What was said, by number; the oldest gives way. */
  const memory = new Map<number, Said>();
  let characters = 0;
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

  const tell = (said: (id: number) => Said): void => {
    last++;
    const texts = said(last);
    memory.set(last, texts);
    characters += sizeOf(texts);
    for (const [id, oldest] of memory) {
      if (memory.size <= limits.remembered && characters <= limits.remembered_chars) break;
      memory.delete(id);
      characters -= sizeOf(oldest);
    }
    for (const client of clients) write(client, texts[client.language]);
  };
  const textOf = (id: number, name: string, value: unknown): string =>
    `id: ${life}-${id}\nevent: ${name}\ndata: ${JSON.stringify(value)}\n\n`;

  return {
    say(name, value) {
      tell((id) => {
        const text = textOf(id, name, value);
        return { en: text, fr: text };
      });
    },
    sayIn(name, value) {
      tell((id) => ({ en: textOf(id, name, value("en")), fr: textOf(id, name, value("fr")) }));
    },
    admit() {
      if (clients.size >= limits.clients) {
        throw new Fault("TOO_MANY", { thing: "event streams", limit: limits.clients, retry_s: 30 });
      }
    },
    listen(response, listener) {
      this.admit();
      const client = { response, ...listener };
      clients.add(client);
      response.on("close", () => drop(client));
      heartbeat ??= every(clock, seconds(limits.heartbeat_s), beat);
      const missed = missedSince(listener);
      // A reset carries the id of the newest event, so that a page that hears nothing more still resumes from here.
      if (missed === undefined) write(client, `retry: 2000\nid: ${life}-${last}\nevent: reset\ndata: {}\n\n`);
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

  /** What was said after the event it heard last; undefined when it is not all known any more. */
  function missedSince({ lastEventId, language }: Listener): string | undefined {
    const [whose, number] = lastEventId?.split("-") ?? [];
    const from = Number(number);
    if (whose !== life || !Number.isInteger(from) || from > last || from < last - memory.size) return undefined;
    let missed = "";
    for (let each = from + 1; each <= last; each++) missed += memory.get(each)?.[language] ?? "";
    return missed;
  }
}

/** One text for both languages is kept once. */
const sizeOf = ({ en, fr }: Said): number => (en === fr ? en.length : en.length + fr.length);
