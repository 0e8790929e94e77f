import type { Behaviour, BehaviourContext } from "#edge/behaviour.ts";
import type { Behaviours } from "#edge/behaviours.ts";
import type { VehicleBehaviour } from "#edge/vehicle.ts";
import { canonical } from "#protocol/canonical.ts";
import type { Command, Order } from "#protocol/messages.ts";

/** Commands of a device by which an order is known again; more than come while one is still on its way. */
const REMEMBERED = 50;

/**
 * Watches between gate and device that no command is acted on after its expiry, by the clock of its station, and none
 * twice.
 */
export interface CommandWatch {
  /** A command has reached its station. */
  delivered(command: Command): void;
  /** The same behaviours, with a witness in front of each. */
  witnessed(behaviours: Behaviours): Behaviours;
  readonly acted: number;
  readonly afterExpiry: string[];
  readonly twice: string[];
}

export function commandWatch(): CommandWatch {
  const acted = new Set<string>();
  const afterExpiry: string[] = [];
  const twice: string[] = [];
  /** The last commands delivered to each device, the newest first. */
  const delivered = new Map<string, Command[]>();
  const behind = (device: string, order: Order): Command | undefined => {
    const text = canonical(order);
    return delivered.get(device)?.find((command) => canonical(command.order) === text);
  };

  const witness = ({ device: { id: device }, clock }: BehaviourContext, behaviour: Behaviour): Behaviour => ({
    start: () => behaviour.start(),
    stop: () => behaviour.stop(),
    read: (measure) => behaviour.read(measure),
    clockSet: () => behaviour.clockSet?.(),
    sensed: (id, measure, at) => behaviour.sensed(id, measure, at),
    heard: (passing) => behaviour.heard(passing),
    obey(order) {
      const command = behind(device, order);
      if (command !== undefined) {
        const late_ms = clock.now() - command.expiresAt;
        if (late_ms > 0) afterExpiry.push(`${command.id} on ${device}, ${late_ms / 1000} s late`);
        if (acted.has(command.id)) twice.push(`${command.id} on ${device}`);
        acted.add(command.id);
      }
      return behaviour.obey(order);
    },
    // The crew reads its sheet there.
    ...("round" in behaviour && { round: () => (behaviour as VehicleBehaviour).round() }),
  });

  return {
    delivered(command) {
      const before = delivered.get(command.device) ?? [];
      delivered.set(command.device, [command, ...before].slice(0, REMEMBERED));
    },
    witnessed: (behaviours) =>
      Object.fromEntries(
        Object.entries(behaviours).map(([kind, create]) => [
          kind,
          (context: BehaviourContext) => witness(context, create(context)),
        ]),
      ),
    get acted() {
      return acted.size;
    },
    afterExpiry,
    twice,
  };
}
