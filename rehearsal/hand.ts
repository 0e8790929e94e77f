import type { SeededChance } from "#protocol/chance.ts";
import type { Territory } from "#protocol/territory.ts";
import { HOUR, instant, seconds } from "#protocol/units.ts";
import type { VirtualClock } from "./clock.ts";
import type { ServerHost } from "./host.ts";

/** Hours between two times that the person reaches for a handle. */
const EVERY_H = { least: 4, most: 12 };
const REASONS = ["street party", "works on the pavement", "search for a lost child", "complaint of a resident"];

/** A person on duty who now and then brightens or dims a street for an hour or two, so that the hand is rehearsed too. */
export function hand(
  territory: Territory,
  clock: VirtualClock,
  chance: SeededChance,
  host: () => ServerHost["running"],
): void {
  const streets = [...new Set(territory.luminaires.map((lamp) => lamp.street))];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance.next() * list.length)] as T;
  const between = (least: number, most: number): number => least + (most - least) * chance.next();
  const act = (): void => {
    // Chance is drawn whether or not the server is there, so that a fault does not change what comes later.
    const street = pick(streets);
    const level = between(0.2, 1);
    const lasts = between(0.5, 3) * HOUR;
    const reason = pick(REASONS);
    clock.settle();
    host()?.server.overrides.create({
      author: "rehearsal",
      reason,
      scope: { kind: "street", id: street },
      order: { action: "lamp-override", level: Math.round(level * 100) / 100 },
      until: instant(Math.round(clock.now() + lasts)),
    });
    plan();
  };
  const plan = (): void => void clock.after(seconds(between(EVERY_H.least, EVERY_H.most) * 3600), act);
  if (streets.length > 0) plan();
}
