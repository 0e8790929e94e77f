import type { Chance } from "#protocol/ports.ts";
import { pick } from "#protocol/chance.ts";
import type { Draft } from "./draft.ts";
import type { Stop } from "./problem.ts";
import { BASE } from "./problem.ts";

const BLINKS = 0.01;

/** Puts absent stops back, each where it adds least, in one of four orders (weights 4, 4, 2, 1: same source as ruin). */
export function recreate(draft: Draft, chance: Chance): void {
  const blink = (): boolean => chance.next() < BLINKS;
  const waiting = ordered(draft, chance);
  draft.absent.length = 0;
  for (const stop of waiting) if (!draft.insert(stop, blink)) draft.absent.push(stop);
}

function ordered(draft: Draft, chance: Chance): number[] {
  const stops = draft.absent.slice().sort((a, b) => a - b);
  const draw = pick(chance, 11);
  for (let place = stops.length - 1; place > 0; place--) {
    const other = pick(chance, place + 1);
    [stops[place], stops[other]] = [stops[other] as number, stops[place] as number];
  }
  if (draw < 4) return stops;
  const { width, direct } = draft.times;
  const load = (stop: number): number => (draft.problem.stops[stop] as Stop).load;
  const away = (stop: number): number => direct[(BASE + 1) * width + stop + 1] as number;
  if (draw < 8) return stops.sort((a, b) => load(b) - load(a));
  return draw < 10 ? stops.sort((a, b) => away(b) - away(a)) : stops.sort((a, b) => away(a) - away(b));
}
