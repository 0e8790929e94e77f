import { expect, test } from "vitest";
import { parseTerritory } from "#protocol/territory.ts";

const point = (kind: string, id: string, properties: object) => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: [2.35, 48.85] },
  properties: { kind, id, ...properties },
});
const street = {
  type: "Feature",
  geometry: { type: "LineString", coordinates: [[2.35, 48.85], [2.36, 48.85]] }, // prettier-ignore
  properties: {
    kind: "street",
    id: "R1",
    name: "Rue du Puits",
    highway: "residential",
    lightingClass: "P4",
    speed_kmh: 30,
    oneWay: false,
  },
};
const station = point("station", "S1", {});
const lamp = point("luminaire", "L1", { station: "S1", street: "R1", power_W: 40, height_m: 5, lightingClass: "P4" });
const town = (...features: object[]) => ({
  type: "FeatureCollection",
  vigie: { version: 1, id: "t", name: "T", timeZone: "Europe/Paris", position: [2.35, 48.85] },
  features,
});

test("a street, a station and a lamp make a territory", () => {
  const territory = parseTerritory(town(street, station, lamp));
  expect(territory.luminaires.map(({ id }) => id)).toEqual(["L1"]);
  expect(territory.devices.get("L1")).toMatchObject({ kind: "lamp", station: "S1", street: "R1" });
  expect(territory.byStation.get("S1")?.map(({ id }) => id)).toEqual(["L1"]);
});

const mistakes: [string, unknown, RegExp][] = [
  ["that is no object", "hello", /^territory is not a territory: no JSON object/],
  ["that is no FeatureCollection", { type: "Feature" }, /its type is "Feature"/],
  ["without a header", { type: "FeatureCollection", features: [] }, /member "vigie"/],
  [
    "with a time zone that does not exist",
    { ...town(), vigie: { ...town().vigie, timeZone: "Europe/Atlantis" } },
    /Europe\/Atlantis is no IANA/,
  ],
  [
    "with an unknown kind of feature",
    town(point("balloon", "B1", {})),
    /Feature 1, property kind: "balloon" is none of/,
  ],
  [
    "with an unknown property value",
    town({ ...street, properties: { ...street.properties, lightingClass: "Z9" } }),
    /Feature 1 \(street R1\), property lightingClass: found "Z9", expected one of M1/,
  ],
  [
    "with a property nobody knows",
    town(point("station", "S1", { colour: "red" })),
    /Feature 1 \(station S1\), property colour/,
  ],
  [
    "with an id twice",
    town(street, station, lamp, lamp),
    /Feature 4 \(luminaire L1\), property id: L1 is already the id of Feature 3/,
  ],
  [
    "with a device without a station",
    town(street, lamp),
    /Feature 2 \(luminaire L1\), property station: there is no station S1/,
  ],
  [
    "with a device that names no station at all",
    town(street, point("luminaire", "L1", { street: "R1", power_W: 40, height_m: 5, lightingClass: "P4" })),
    /property station: found nothing/,
  ],
  ["with a lamp on no street", town(station, lamp), /property street: there is no street R1/],
  [
    "with a place outside the globe",
    town({ ...station, geometry: { type: "Point", coordinates: [200, 0] } }),
    /no \[longitude, latitude\]/,
  ],
  ["with a street that is a point", town({ ...street, geometry: station.geometry }), /it is Point, not a LineString/],
];
for (const [what, json, says] of mistakes) {
  test(`a territory ${what} is refused, and the sentence names the feature and the property`, () => {
    expect(() => parseTerritory(json)).toThrow(says);
  });
}
