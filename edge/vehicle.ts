import type { Order, OrderOf } from "#protocol/messages.ts";
import { order } from "#protocol/messages.ts";
import type { Behaviour, BehaviourContext } from "./behaviour.ts";
import { recalled } from "./memory.ts";

/** A collection vehicle keeps its last round sheet; the crew in front of it drives. */
export interface VehicleBehaviour extends Behaviour {
  /** The round to drive, or undefined while none was ever received. */
  round(): OrderOf<"round"> | undefined;
}

/** The output `round` of the hardware shows how many stops a new sheet has, so that the crew looks at it. */
export function vehicleBehaviour({ device, hardware, memory }: BehaviourContext): VehicleBehaviour {
  let sheet: OrderOf<"round"> | undefined;
  const show = (): void => {
    if (sheet !== undefined) hardware.write(device.id, "round", sheet.stops.length);
  };
  return {
    start() {
      const kept = recalled(order, memory.load());
      if (kept?.action === "round") sheet = kept;
      show();
    },
    stop() {},
    read: () => undefined,
    obey(order: Order) {
      if (order.action !== "round") return "a vehicle does not know this order";
      sheet = order;
      memory.save(JSON.stringify(order));
      show();
      return undefined;
    },
    sensed() {},
    heard() {},
    round: () => sheet,
  };
}
