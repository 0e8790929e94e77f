import { programme } from "./lighting/programme.ts";
import { frame } from "./traffic/frame.ts";
import { rounds } from "./waste/rounds.ts";

/** The decisions that are journalled, by the name under which the journal knows them. */
export const DECIDE = {
  "lighting.programme": programme,
  "traffic.frame": frame,
  "waste.rounds": rounds,
} as const;

export type DecisionName = keyof typeof DECIDE;
export type InputsOf<Name extends DecisionName> = Parameters<(typeof DECIDE)[Name]>[0];
export type DecisionOf<Name extends DecisionName> = ReturnType<(typeof DECIDE)[Name]>;

export const DECISION_NAMES = Object.keys(DECIDE) as DecisionName[];

/** Computes a named decision from its inputs: the same inputs give the same decision, bit for bit, now or years later. */
export function decide<Name extends DecisionName>(name: Name, inputs: InputsOf<Name>): DecisionOf<Name> {
  const known: Readonly<Record<DecisionName, (inputs: never) => unknown>> = DECIDE;
  return known[name](inputs as never) as DecisionOf<Name>;
}
