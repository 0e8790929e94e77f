import type { Socket } from "node:net";
import { connect } from "node:net";
import { allDown, up } from "#protocol/topics.ts";
import { stationPassword } from "#server/credentials.ts";
import { connectFrame, FIRST_NUMBER, ReadingsTemplate, subscribeFrame } from "./ingest-frames.ts";
import { lampName, SECRET, stationName, TOWN } from "./ingest-town.ts";

/**
 * Stations as raw sockets in a process of their own. Says "connected" when all are; then, told to go, each sends readings at
 * QoS 1, either as fast as its window of unacknowledged messages allows or at a rate shared by all. Told to stop, or when the
 * server is gone, it says what was acknowledged. After a loss it connects again when told to, and sends again what was not.
 */
interface GeneratorArguments {
  readonly port: number;
  readonly stations: number;
  readonly perMessage: number;
  /** Messages of one station that may be without acknowledgement. */
  readonly window: number;
  /** Readings a second over all stations; without it as fast as the windows allow. */
  readonly rate?: number;
  /** When the first reading was taken. */
  readonly from?: number;
}
export interface GeneratorReport {
  /** Number of the last reading acknowledged, by station. */
  readonly acknowledged: number[];
  /** Readings acknowledged since the last "go". */
  readonly readings: number;
  readonly seconds: number;
  readonly puback_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly receipts: number;
  readonly cpu_s: number;
  /** Acknowledgements that came in another order than the messages: there should be none. */
  readonly disorder: number;
}

const { port, stations, perMessage, window, rate, from } = JSON.parse(process.argv[2] as string) as GeneratorArguments;
const RETRY_ms = 200;
const MOST_LATENCIES = 4_000_000;
const latencies = new Float32Array(MOST_LATENCIES);
let measured = 0;
let acknowledgedReadings = 0;
let receipts = 0;
let disorder = 0;
let running = false;
let began = 0;
/** Stations that are let in, and whether those that are not still try. */
let connections = 0;
let connecting = false;
let cpu = process.cpuUsage();

class Station {
  readonly name: string;
  readonly template: ReadingsTemplate;
  socket: Socket | undefined;
  acknowledged = FIRST_NUMBER - 1;
  /** The last number sent. */
  sent = FIRST_NUMBER - 1;
  /** Message ids go round in twice the window; the time each was sent lies at its place. */
  private readonly sentAt: Float64Array;
  private nextId = 0;
  private oldestId = 0;
  inFlight = 0;
  /** Of its next reading: a second after the last one, as no station says two things of one instant; too fast to begin today. */
  private time = from ?? Date.now() - 2 * 86_400_000;
  private rest: Buffer | undefined;
  private greeted = false;
  private readonly out: Buffer;

  constructor(index: number) {
    this.name = stationName(index);
    this.template = new ReadingsTemplate(up(TOWN, this.name, "readings"), lampName(index), "bench", perMessage);
    this.sentAt = new Float64Array(window * 2);
    this.out = Buffer.alloc(this.template.bytes.length * window);
  }

  connect(): void {
    this.socket?.destroy();
    this.sent = this.acknowledged;
    this.inFlight = 0;
    this.oldestId = this.nextId;
    this.rest = undefined;
    this.greeted = false;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    socket.on("error", () => {});
    socket.on("close", () => this.closed(socket));
    socket.write(
      Buffer.concat([
        connectFrame(this.name, stationPassword(SECRET, this.name)),
        subscribeFrame(allDown(TOWN, this.name)),
      ]),
    );
  }

  /** One that was let in is lost; one that the server had no time for tries again, as a station would. */
  private closed(socket: Socket): void {
    if (this.socket !== socket) return;
    if (this.greeted) {
      this.greeted = false;
      lost();
    } else if (connecting) setTimeout(() => connecting && this.socket === socket && this.connect(), RETRY_ms);
  }

  /** Sends as many messages as the window leaves room for, at most `most`, in one write. */
  send(most: number): void {
    const count = Math.min(most, window - this.inFlight);
    if (count <= 0) return;
    const clock = performance.now();
    const out = rate === undefined ? this.out : Buffer.alloc(this.template.bytes.length * count);
    let end = 0;
    for (let message = 0; message < count; message++) {
      const first = this.sent + 1;
      const after = this.sent < FIRST_NUMBER ? 0 : this.sent;
      end = this.template.write(out, end, this.nextId + 1, after, first, this.time);
      this.time += perMessage * 1000;
      this.sentAt[this.nextId] = clock;
      this.nextId = (this.nextId + 1) % this.sentAt.length;
      this.sent += perMessage;
    }
    this.inFlight += count;
    // The socket may keep what it could not write at once, and this buffer is used again.
    this.socket?.write(rate === undefined ? Buffer.from(out.subarray(0, end)) : out.subarray(0, end));
  }

  private receive(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    let at = 0;
    while (at + 2 <= bytes.length) {
      let length = (bytes[at + 1] as number) & 127;
      let body = at + 2;
      if ((bytes[at + 1] as number) > 127) {
        if (at + 3 > bytes.length) break;
        length += (bytes[at + 2] as number) << 7;
        body++;
      }
      if (body + length > bytes.length) break;
      const type = (bytes[at] as number) >> 4;
      if (type === 4) this.acknowledge(bytes.readUInt16BE(body) - 1);
      else if (type === 3) receipts++;
      else if (type === 9 && !this.greeted) {
        this.greeted = true;
        connected();
      }
      at = body + length;
    }
    if (at < bytes.length) this.rest = bytes.subarray(at);
    if (running && rate === undefined && this.inFlight <= window / 2) this.send(window);
  }

  private acknowledge(id: number): void {
    if (id !== this.oldestId) disorder++;
    this.oldestId = (id + 1) % this.sentAt.length;
    if (measured < MOST_LATENCIES) latencies[measured++] = performance.now() - (this.sentAt[id] as number);
    this.inFlight--;
    this.acknowledged += perMessage;
    acknowledgedReadings += perMessage;
  }
}

const all = Array.from({ length: stations }, (_, index) => new Station(index));

function connected(): void {
  if (++connections < stations) return;
  connecting = false;
  process.send?.("connected");
}

function lost(): void {
  if (--connections === 0) {
    running = false;
    process.send?.(report());
  }
}

function go(): void {
  measured = 0;
  acknowledgedReadings = 0;
  receipts = 0;
  running = true;
  began = performance.now();
  cpu = process.cpuUsage();
  if (rate === undefined) for (const station of all) station.send(window);
  else pace(rate / perMessage);
}

/** Sends `rate` messages a second, the stations taking turns, a few every millisecond rather than many at once. */
function pace(messages: number): void {
  let sent = 0;
  const turn = (): void => {
    if (!running) return;
    const due = Math.floor(((performance.now() - began) / 1000) * messages);
    for (; sent < due; sent++) (all[sent % stations] as Station).send(1);
    setTimeout(turn, 1);
  };
  turn();
}

function report(): GeneratorReport {
  const sorted = latencies.slice(0, measured).sort();
  const quantile = (q: number): number => sorted[Math.min(measured - 1, Math.floor(q * measured))] ?? 0;
  const { user, system } = process.cpuUsage(cpu);
  return {
    acknowledged: all.map((station) => station.acknowledged),
    readings: acknowledgedReadings,
    seconds: (performance.now() - began) / 1000,
    puback_ms: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
    receipts,
    cpu_s: (user + system) / 1e6,
    disorder,
  };
}

process.once("disconnect", () => process.exit());
process.on("message", (told) => {
  if (told === "connect") {
    connecting = true;
    for (const station of all) station.connect();
  }
  if (told === "go") go();
  if (told === "report") process.send?.(report());
  if (told === "stop") {
    running = false;
    process.send?.(report());
    process.exit();
  }
});
process.send?.("ready");
