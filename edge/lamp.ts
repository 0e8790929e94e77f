import { levelFor } from "#control/lighting/classes.ts";
import type { LampRule, LampState } from "#control/lighting/dimming.ts";
import { dimming } from "#control/lighting/dimming.ts";
import { REACH, distanceAlong } from "#control/lighting/neighbours.ts";
import type { Night } from "#control/lighting/sun.ts";
import { nightAt } from "#control/lighting/sun.ts";
import { LAMP_RULES } from "#protocol/kinds.ts";
import type { Order, OrderOf, Passing } from "#protocol/messages.ts";
import { order } from "#protocol/messages.ts";
import type { Cancel } from "#protocol/ports.ts";
import { integer, number, object, optional } from "#protocol/shape.ts";
import type { LonLat } from "#protocol/territory.ts";
import type { Instant, Level } from "#protocol/units.ts";
import { level, seconds } from "#protocol/units.ts";
import type { Behaviour, BehaviourContext } from "./behaviour.ts";
import { recalled } from "./memory.ts";

/** What no order may go below at night: enough to see the kerb, and that the lamp works. */
const FLOOR = level(0.1);
/** The longest time without asking the clock again: it may have been set meanwhile. */
const MOST_PAUSE_MS = 900_000;

const remembered = object({
  programme: optional(order),
  override: optional(object({ level: number(0, 1), until: integer(0) })),
});

/**
 * A lamp with or without a server: its last programme, then its class level between its own dusk and dawn; someone at
 * its own sensor or at a neighbour's lights it at once, and the neighbours are told. The decision itself is control's.
 */
export function lampBehaviour(context: BehaviourContext): Behaviour {
  return new Lamp(context);
}

class Lamp implements Behaviour {
  private readonly context: BehaviourContext;
  private readonly classLevel: Level;
  private readonly line: readonly LonLat[];
  /** One lamp of a station speaks for it. */
  private readonly speaks: boolean;
  /** By station: whether a passage there is near enough to light this lamp. Poles do not move. */
  private readonly near = new Map<string, boolean>();

  private programme: OrderOf<"programme"> | undefined;
  private override: { readonly level: number; readonly until: number } | undefined;
  private lastPresence: Instant | undefined;
  private night: Night | undefined;
  private nightAsked = 0;

  private level: Level | undefined;
  private because: LampRule | undefined;
  private validUntil = 0;
  private cancel: Cancel | undefined;
  private wakeAt = Number.POSITIVE_INFINITY;

  constructor(context: BehaviourContext) {
    this.context = context;
    const { device, territory } = context;
    const luminaire = territory.luminaires.find((each) => each.id === device.id);
    const street = territory.streets.find((each) => each.id === device.street);
    this.classLevel =
      luminaire === undefined || street === undefined
        ? level(1)
        : levelFor(luminaire.lightingClass, street.lightingClass);
    this.line = street?.line ?? [];
    this.speaks = territory.byStation.get(device.station)?.find((each) => each.kind === "lamp")?.id === device.id;
  }

  start(): void {
    const kept = recalled(remembered, this.context.memory.load());
    if (kept?.programme?.action === "programme") this.programme = kept.programme;
    this.override = kept?.override;
    this.settle();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.wakeAt = Number.POSITIVE_INFINITY;
  }

  read(measure: string): number | undefined {
    if (measure === "level") return this.level;
    if (measure === "rule" && this.because !== undefined) return LAMP_RULES.indexOf(this.because);
    return undefined;
  }

  obey(order: Order): string | undefined {
    if (order.action === "programme") this.programme = order;
    else if (order.action === "lamp-override") this.override = { level: order.level, until: order.until };
    else if (order.action === "release") this.override = undefined;
    else return "a lamp does not know this order";
    this.remember();
    this.settle();
    return undefined;
  }

  sensed(device: string, measure: string): void {
    if (measure !== "passes") return;
    this.someone();
    // By day nobody needs light, and silence spares the neighbours the work.
    if (!this.speaks || this.night?.dark === false) return;
    const { context } = this;
    const [lon, lat] = context.territory.devices.get(device)?.position ?? context.device.position;
    context.shout({ station: context.device.station, at: context.clock.now(), lon, lat });
  }

  heard(passing: Passing): void {
    const { station } = this.context.device;
    if (passing.station === station) return;
    let near = this.near.get(passing.station);
    if (near === undefined) {
      near = distanceAlong(this.line, [passing.lon, passing.lat], this.context.device.position) <= REACH;
      this.near.set(passing.station, near);
    }
    if (near) this.someone();
  }

  clockSet(): void {
    this.settle();
  }

  /** Someone is near, now: the words of a neighbour whose clock is wrong count as well. */
  private someone(): void {
    const now = this.context.clock.now();
    this.lastPresence = now;
    // Most passages change nothing: by day, and while the lamp is active already, when the timer sees the later end.
    if (now < this.validUntil && (this.because === "daylight" || this.because === "presence")) return;
    this.settle();
  }

  private settle(): void {
    const { device, clock, hardware } = this.context;
    const now = clock.now();
    const decision = dimming(this.state(now));
    const { value } = decision;
    const because = decision.because as LampRule;
    this.validUntil = decision.validUntil;
    const moved = value !== this.level;
    const otherRule = because !== this.because;
    this.level = value;
    this.because = because;
    if (moved) {
      hardware.write(device.id, "level", value);
      this.context.report("level");
    }
    if (otherRule) this.context.report("rule");
    this.wake(now, Math.min(decision.validUntil, now + MOST_PAUSE_MS));
  }

  private state(now: Instant): LampState {
    if (this.night === undefined || now >= this.night.until || now < this.nightAsked) {
      const [lon, lat] = this.context.device.position;
      this.night = nightAt(now, lat, lon);
      this.nightAsked = now;
    }
    return {
      now,
      night: this.night,
      classLevel: this.classLevel,
      floor: FLOOR,
      ...(this.programme !== undefined && { programme: this.programme }),
      // Kept beyond its end: a clock that ran ahead and is set right must not have ended it for good.
      ...(this.override !== undefined && this.override.until > now && { override: this.override }),
      ...(this.lastPresence !== undefined && { lastPresence: this.lastPresence }),
    };
  }

  /** One timer: one that rings too early is left, since settling again changes nothing and sets the right one. */
  private wake(now: number, at: number): void {
    if (this.wakeAt <= at && this.wakeAt > now) return;
    this.cancel?.();
    this.wakeAt = at;
    this.cancel = this.context.clock.after(seconds(Math.max(0, at - now) / 1000), () => {
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.settle();
    });
  }

  private remember(): void {
    this.context.memory.save(JSON.stringify({ programme: this.programme, override: this.override }));
  }
}
