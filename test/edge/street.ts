import type { Command, Order } from "#protocol/messages.ts";
import { canonical } from "#protocol/canonical.ts";
import type { LonLat, Territory } from "#protocol/territory.ts";
import { parseTerritory } from "#protocol/territory.ts";
import type { Hardware } from "#edge/hardware/hardware.ts";
import type { Verifier } from "#edge/gate.ts";
import type { Instant } from "#protocol/units.ts";

/** 21 December 2026, 22:00 UTC: dark in the town of the tests. */
export const WINTER_NIGHT = Date.UTC(2026, 11, 21, 22) as Instant;
export const SUMMER_NOON = Date.UTC(2026, 5, 21, 12) as Instant;

const ORIGIN: LonLat = [2.35, 47];
/** Degrees of longitude for a metre at 47° north. */
const METRE = 1 / (111_195 * Math.cos((47 * Math.PI) / 180));
const at = (metres: number): LonLat => [ORIGIN[0] + metres * METRE, ORIGIN[1]];

const feature = (kind: string, id: string, coordinates: unknown, properties: object) => ({
  type: "Feature",
  geometry: { type: kind === "street" ? "LineString" : "Point", coordinates },
  properties: { kind, id, ...properties },
});

/**
 * A straight street with a lamp and its presence sensor each 28 m, S-1 (L1, P1) first, and at its end one station S-END
 * with a container C1, and a depot whose vehicle V1 is on station S-V.
 */
export function streetOf(lamps: number): Territory {
  const end = lamps * 28;
  const poles = Array.from({ length: lamps }, (_, index) => index + 1).flatMap((pole) => [
    feature("station", `S-${pole}`, at(pole * 28), {}),
    feature("luminaire", `L${pole}`, at(pole * 28), {
      station: `S-${pole}`,
      street: "rue",
      power_W: 40,
      height_m: 6,
      lightingClass: "P2",
    }),
    feature("presence", `P${pole}`, at(pole * 28), { station: `S-${pole}`, street: "rue", luminaire: `L${pole}` }),
  ]);
  return parseTerritory({
    type: "FeatureCollection",
    vigie: { version: 1, id: "testville", name: "Testville", timeZone: "Europe/Paris", position: ORIGIN },
    features: [
      feature("street", "rue", [at(0), at(end)], {
        name: "Rue des Essais",
        highway: "residential",
        lightingClass: "P2",
        speed_kmh: 30,
        oneWay: false,
      }),
      ...poles,
      feature("station", "S-END", at(end), {}),
      feature("container", "C1", at(end), {
        station: "S-END",
        street: "rue",
        stream: "glass",
        volume_L: 1000,
        place: "housing",
        service_s: 60,
      }),
      feature("station", "S-V", at(0), {}),
      feature("depot", "D1", at(0), {
        vehicles: [
          { id: "V1", station: "S-V", capacity_L: 20_000, streams: ["glass"], shiftStart: "06:00", shift_h: 8 },
        ],
      }),
    ],
  });
}

/** Inputs that a test sets and outputs that it looks at. */
export interface Bench extends Hardware {
  readonly values: Map<string, number>;
  readonly written: { device: string; output: string; value: number }[];
  /** Sets an input and says that it moved. */
  move(device: string, measure: string, value: number, at: Instant): void;
}

export function bench(): Bench {
  const values = new Map<string, number>();
  const written: { device: string; output: string; value: number }[] = [];
  let listener: ((device: string, measure: string, at: Instant) => void) | undefined;
  return {
    values,
    written,
    read: (device, measure) => values.get(`${device} ${measure}`),
    write(device, output, value) {
      written.push({ device, output, value });
      values.set(`${device} ${output}`, value);
    },
    watch: (given) => (listener = given),
    close: () => (listener = undefined),
    move(device, measure, value, time) {
      values.set(`${device} ${measure}`, value);
      listener?.(device, measure, time);
    },
  };
}

/** A signature that anyone could write: the text's length. The real one has tests of its own. */
export const lengthVerifier: Verifier = { verify: (text, signature) => signature === String(text.length) };

export function commandOf(
  station: string,
  device: string,
  sequence: number,
  order: Order,
  issuedAt: number,
  expiresAt = issuedAt + 60_000,
): Command {
  const unsigned = { id: `c-${device}-${sequence}`, station, device, sequence, issuedAt, expiresAt, order };
  return { ...unsigned, signature: String(canonical(unsigned).length) };
}
