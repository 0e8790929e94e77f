import type { DeviceKind } from "#protocol/kinds.ts";
import type { Behaviour, BehaviourContext } from "./behaviour.ts";
import { lampBehaviour } from "./lamp.ts";
import { signalBehaviour } from "./signals.ts";
import { vehicleBehaviour } from "./vehicle.ts";

export type Behaviours = Partial<Record<DeviceKind, (context: BehaviourContext) => Behaviour>>;

/** The kinds of device that do something by themselves; all others are only read. */
export const BEHAVIOURS: Behaviours = {
  lamp: lampBehaviour,
  signal: signalBehaviour,
  vehicle: vehicleBehaviour,
};
