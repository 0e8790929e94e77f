import type { Behaviour } from "#edge/behaviour.ts";
import type { Behaviours } from "#edge/behaviours.ts";
import type { Command } from "#protocol/messages.ts";
import type { Clock } from "#protocol/ports.ts";

/** Watches between gate and device that no command is acted on after its expiry, and none twice. */
export interface CommandWatch {
  /** A command has reached its station; what the station does next, in the same turn, it does because of it. */
  delivered(command: Command): void;
  /** The same behaviours, with a witness in front of each. */
  witnessed(behaviours: Behaviours): Behaviours;
  readonly acted: number;
  readonly afterExpiry: string[];
  readonly twice: string[];
}

export function commandWatch(clock: Clock): CommandWatch {
  const acted = new Set<string>();
  const afterExpiry: string[] = [];
  const twice: string[] = [];
  /** The last command delivered to each device. */
  const current = new Map<string, Command>();

  const witness = (device: string, behaviour: Behaviour): Behaviour => ({
    start: () => behaviour.start(),
    stop: () => behaviour.stop(),
    read: (measure) => behaviour.read(measure),
    sensed: (id, measure, at) => behaviour.sensed(id, measure, at),
    heard: (passing) => behaviour.heard(passing),
    obey(order) {
      const command = current.get(device);
      if (command !== undefined) {
        const late_ms = clock.now() - command.expiresAt;
        if (late_ms > 0) afterExpiry.push(`${command.id} on ${device}, ${late_ms / 1000} s late`);
        if (acted.has(command.id)) twice.push(`${command.id} on ${device}`);
        acted.add(command.id);
      }
      return behaviour.obey(order);
    },
  });

  return {
    delivered: (command) => void current.set(command.device, command),
    witnessed: (behaviours) =>
      Object.fromEntries(
        Object.entries(behaviours).map(([kind, create]) => [
          kind,
          (context: Parameters<typeof create>[0]) => witness(context.device.id, create(context)),
        ]),
      ),
    get acted() {
      return acted.size;
    },
    afterExpiry,
    twice,
  };
}
