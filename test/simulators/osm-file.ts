import { deflateSync } from "node:zlib";

/**
 * A hand-made extract: two streets that cross at a signal, one of them one-way, two lamps and a litter bin.
 * Protocol Buffers by hand: field numbers as in fileformat.proto and osmformat.proto of OSM-binary.
 */
export function osmFile(): Uint8Array {
  const strings = [""];
  const text = (value: string): number => (strings.includes(value) ? strings.indexOf(value) : strings.push(value) - 1);
  const nodes: { id: number; lon: number; lat: number; tags: Record<string, string> }[] = [
    { id: 1, lon: 24.94, lat: 60.169, tags: {} },
    { id: 2, lon: 24.94, lat: 60.17, tags: { highway: "traffic_signals" } },
    { id: 3, lon: 24.94, lat: 60.171, tags: {} },
    { id: 4, lon: 24.938, lat: 60.17, tags: {} },
    { id: 5, lon: 24.942, lat: 60.17, tags: {} },
    { id: 6, lon: 24.94005, lat: 60.1705, tags: { highway: "street_lamp" } },
    { id: 7, lon: 24.9385, lat: 60.17003, tags: { highway: "street_lamp" } },
    { id: 8, lon: 24.9402, lat: 60.1694, tags: { amenity: "waste_basket" } },
  ];
  const ways = [
    { id: 20, refs: [1, 2, 3], tags: { highway: "tertiary", name: "North Street", maxspeed: "40" } },
    { id: 21, refs: [4, 2, 5], tags: { highway: "secondary", name: "East Street", oneway: "yes", lit: "yes" } },
  ];
  const keyed = (tags: Record<string, string>): Uint8Array[] => [
    packed(
      2,
      Object.keys(tags).map((key) => varint(text(key))),
    ),
    packed(
      3,
      Object.values(tags).map((value) => varint(text(value))),
    ),
  ];
  const groups = [
    ...nodes.map(({ id, lon, lat, tags }) =>
      field(1, [
        number(1, zigzag(id)),
        ...keyed(tags),
        number(8, zigzag(Math.round(lat * 1e7))),
        number(9, zigzag(Math.round(lon * 1e7))),
      ]),
    ),
    ...ways.map(({ id, refs, tags }) =>
      field(3, [
        number(1, id),
        ...keyed(tags),
        packed(
          8,
          refs.map((ref, index) => varint(zigzag(ref - (refs[index - 1] ?? 0)))),
        ),
      ]),
    ),
  ];
  const table = field(
    1,
    strings.map((value) => field(1, [Buffer.from(value)])),
  );
  const block = Buffer.concat([table, field(2, groups)]);
  const header = Buffer.concat([field(4, [Buffer.from("OsmSchema-V0.6")])]);
  return Buffer.concat([blob("OSMHeader", header), blob("OSMData", block)]);
}

function blob(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([number(2, content.length), field(3, [deflateSync(content)])]);
  const head = Buffer.concat([field(1, [Buffer.from(type)]), number(3, body.length)]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(head.length);
  return Buffer.concat([size, head, body]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
function number(tag: number, value: number): Uint8Array {
  return Buffer.concat([varint(tag * 8), varint(value)]);
}
function field(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(tag * 8 + 2), varint(content.length), content]);
}
function packed(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  return field(tag, parts);
}
