import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Frame, Published } from "./broker-frames.ts";
import {
  CONNECT,
  frameAt,
  packAcknowledgements,
  PINGREQ,
  PINGRESP,
  PUBLISH,
  readPublish,
  takeKeepAlive,
} from "./broker-frames.ts";

export interface ConnectionLimits {
  /** Bytes of one packet; a longer one closes the connection before it is read. */
  readonly packetBytes: number;
  /** Messages of one station that wait for their commit; beyond it nothing more is read from its socket. */
  readonly inFlight: number;
  /** Bytes that wait to be sent to one station; beyond it the connection is closed. */
  readonly unsentBytes: number;
}

export interface ConnectionEvents {
  /** A PUBLISH of a station that is connected. "broker": it is not the server's, let aedes have it. */
  published(connection: StationConnection, message: Published): "taken" | "broker";
  closed(connection: StationConnection): void;
}

/**
 * One station's connection: the socket on one side, and as a stream aedes on the other. What a station says to the server
 * goes past aedes (whose way costs several times as much for each packet); everything else, from CONNECT to the neighbours'
 * shouts, goes through it.
 */
export class StationConnection extends Duplex {
  readonly socket: Socket;
  /** The name in the certificate that the client has shown. */
  readonly certified: string | undefined;
  private readonly limits: ConnectionLimits;
  private readonly events: ConnectionEvents;
  /** Set when the station has shown that it is who it says. */
  station: string | undefined;
  /** CONNACK was sent: readings are taken from here on. */
  ready = false;
  hearsReceipts = false;
  keepAlive_s = 0;
  /** Whether it was heard since this was last set to false, and for how long it was not. */
  heard = true;
  silent_s = 0;
  private rest: Buffer | undefined;
  private greeted = false;
  private inFlight = 0;
  private held = false;
  private acknowledgements: number[] = [];
  private frames: Buffer[] = [];
  private flushAsked = false;

  constructor(socket: Socket, certified: string | undefined, limits: ConnectionLimits, events: ConnectionEvents) {
    super({ allowHalfOpen: false });
    this.socket = socket;
    this.certified = certified;
    this.limits = limits;
    this.events = events;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    // The reason does not matter: a broken line and a closed one are the same to us.
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  /** The session stands: go on with what came behind the CONNECT. */
  open(station: string): void {
    this.station = station;
    this.ready = true;
    this.resumeReading();
  }

  /** One message of this station is committed. */
  acknowledge(id: number): void {
    if (id > 0) {
      this.acknowledgements.push(id);
      this.askFlush();
    }
    this.settle();
  }

  /** One message will get no acknowledgement, and the connection stands. */
  settle(): void {
    this.inFlight--;
    if (this.held && this.ready && this.inFlight <= this.limits.inFlight / 2) this.resumeReading();
  }

  /** Sends a whole frame, together with what else is sent in this turn. */
  send(frame: Buffer): void {
    this.frames.push(frame);
    this.askFlush();
  }

  private receive(chunk: Buffer): void {
    this.heard = true;
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    this.split(bytes);
  }

  private split(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.held && !this.destroyed) {
      const frame = frameAt(bytes, at);
      if (frame === "broken" || (frame !== undefined && this.refuses(frame))) {
        this.destroy();
        return;
      }
      if (frame === undefined || frame.end > bytes.length) break;
      at = frame.end;
      this.dispatch(bytes, frame);
    }
    if (at < bytes.length && !this.destroyed) this.rest = at === 0 ? bytes : bytes.subarray(at);
  }

  /** Too long, or something before the CONNECT (MQTT-3.1.0-1). */
  private refuses(frame: Frame): boolean {
    return frame.end - frame.start > this.limits.packetBytes || (!this.greeted && frame.type !== CONNECT);
  }

  private dispatch(bytes: Buffer, frame: Frame): void {
    if (this.ready && frame.type === PUBLISH) {
      const message = readPublish(bytes, frame);
      if (message === undefined) {
        this.destroy();
        return;
      }
      if (this.events.published(this, message) === "taken") {
        this.inFlight++;
        if (this.inFlight >= this.limits.inFlight) this.holdReading();
        return;
      }
    } else if (this.ready && frame.type === PINGREQ) {
      this.send(PINGRESP);
      return;
    } else if (frame.type === CONNECT) {
      this.greeted = true;
      const keepAlive_s = takeKeepAlive(bytes, frame);
      if (keepAlive_s !== undefined) this.keepAlive_s = keepAlive_s;
      // What a client sends before it has its CONNACK waits: only then is it known who speaks.
      if (!this.ready) this.holdReading();
    }
    // A copy: aedes may keep it longer than the socket's buffer lives.
    this.push(Buffer.from(bytes.subarray(frame.start, frame.end)));
  }

  private holdReading(): void {
    this.held = true;
    this.socket.pause();
  }

  private resumeReading(): void {
    this.held = false;
    const { rest } = this;
    this.rest = undefined;
    if (rest !== undefined) this.split(rest);
    if (!this.held) this.socket.resume();
  }

  private askFlush(): void {
    if (this.flushAsked) return;
    this.flushAsked = true;
    // Two turns of the microtask queue: receipts are sent before the promises of a commit resolve, their acknowledgements
    // after it, and both belong in one write.
    queueMicrotask(() => queueMicrotask(() => this.flush()));
  }

  private flush(): void {
    this.flushAsked = false;
    const { acknowledgements, frames } = this;
    this.acknowledgements = [];
    this.frames = [];
    if (this.destroyed) return;
    if (this.socket.writableLength > this.limits.unsentBytes) {
      this.destroy();
      return;
    }
    if (acknowledgements.length === 0 && frames.length === 1) {
      this.socket.write(frames[0] as Buffer);
      return;
    }
    let length = acknowledgements.length * 4;
    for (const frame of frames) length += frame.length;
    const bytes = Buffer.allocUnsafe(length);
    let at = packAcknowledgements(bytes, 0, acknowledgements);
    for (const frame of frames) at += frame.copy(bytes, at);
    this.socket.write(bytes);
  }

  override _read(): void {
    // Frames are pushed as they come; what is not read is bounded by the limits above.
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.pass(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.pass(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  private pass(bytes: Buffer, done: () => void): void {
    if (this.socket.write(bytes)) done();
    else this.socket.once("drain", done);
  }

  override _destroy(problem: Error | null, done: (problem: Error | null) => void): void {
    this.ready = false;
    this.rest = undefined;
    // What was written (a CONNACK that refuses) still goes out.
    this.socket.destroySoon();
    this.events.closed(this);
    done(problem);
  }
}
