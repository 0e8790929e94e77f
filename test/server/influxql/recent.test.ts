import fc from "fast-check";
import { expect, test } from "vitest";
import { nthSmallest } from "#server/store/influxql/nth-smallest.ts";
import { engineInMemory } from "./compare.ts";
import { type PastRows, Recent } from "#server/store/influxql/recent.ts";

interface Written {
  readonly id: number;
  readonly at: number;
  readonly value: number;
}

const written = (most: number): fc.Arbitrary<Written[]> =>
  fc.array(fc.record({ id: fc.nat(3), at: fc.nat(200), value: fc.double({ noNaN: true, noDefaultInfinity: true }) }), {
    maxLength: most,
  });

/** What was written last of each time of each series, from `from` on. */
function expected(all: readonly Written[], from: number): [number, [number, number][]][] {
  const series = new Map<number, Map<number, number>>();
  for (const { id, at, value } of all) {
    if (at < from) continue;
    const known = series.get(id) ?? new Map<number, number>();
    series.set(id, known.set(at, value));
  }
  const ordered = [...series].map(([id, values]): [number, [number, number][]] => [
    id,
    [...values].sort(([a], [b]) => a - b),
  ]);
  return ordered.sort(([a], [b]) => a - b);
}

function held(recent: Recent): [number, [number, number][]][] {
  const found: [number, [number, number][]][] = [];
  for (let id = 0; id < 4; id++) {
    const column = recent.column(id);
    if (column === undefined || column.length === 0) continue;
    found.push([
      id,
      Array.from({ length: column.length }, (_, place) => [
        column.times[place] as number,
        column.value(place) as number,
      ]),
    ]);
  }
  return found;
}

function* inPieces(rows: readonly Written[]): Iterable<PastRows> {
  for (let from = 0; from < rows.length; from += 7) {
    const piece = rows.slice(from, from + 7);
    yield {
      series: piece.map(({ id }) => id),
      times: piece.map(({ at }) => at),
      values: piece.map(({ value }) => value),
    };
  }
}

test("what is written late, twice or while the past is still being read is held as it was written last", () => {
  fc.assert(
    fc.property(written(60), written(30), written(60), (past, meanwhile, after) => {
      const recent = new Recent(1e6);
      const once = expected(past, 0).flatMap(([id, values]) => values.map(([at, value]) => ({ id, at, value })));
      const waiting = [...meanwhile];
      const counts = new Map(
        Map.groupBy(once, ({ id }) => id)
          .entries()
          .map(([id, all]) => [id, all.length]),
      );
      for (const piece of inPieces(once)) {
        recent.takePast(piece, counts);
        const next = waiting.shift();
        if (next !== undefined) recent.put(next.id, next.at, next.value);
      }
      recent.begin(0);
      for (const { id, at, value } of [...waiting, ...after]) recent.put(id, at, value);
      expect(held(recent)).toEqual(expected([...past, ...meanwhile, ...after], 0));
    }),
  );
});

test("it never takes more than it may, and what is left is complete from an instant on", () => {
  fc.assert(
    fc.property(written(400), (all) => {
      const most = 2_500;
      const recent = new Recent(most);
      recent.begin(Number.NEGATIVE_INFINITY);
      for (const { id, at, value } of all) {
        recent.put(id, at, value);
        expect(recent.bytes).toBeLessThanOrEqual(most);
      }
      expect(held(recent)).toEqual(expected(all, recent.from));
    }),
  );
});

test("a series is left to the database from its first value on that no column holds exactly", () => {
  const recent = new Recent(1e6);
  recent.begin(Number.NEGATIVE_INFINITY);
  recent.put(0, 1, 2n ** 53n - 1n);
  expect([recent.holds(0), recent.column(0)?.value(0)]).toEqual([true, 2n ** 53n - 1n]);
  recent.put(0, 2, 2n ** 54n + 1n);
  expect([recent.holds(0), recent.column(0)]).toEqual([false, undefined]);
});

test("the past is read once, however many ask while it is read and afterwards", async () => {
  const engine = await engineInMemory(1);
  const write = { database: "vigie", precision_ns: 1n, now_ns: 0n };
  await engine.writeLines(new TextEncoder().encode("lamp,device=L1 level=1 1000000"), write);
  const begun = engine.remember(0);
  expect(engine.remember(0)).toBe(begun);
  await new Promise((resolve) => setImmediate(resolve));
  expect(engine.remember(0)).toBe(begun);
  await begun;
  await engine.writeLines(new TextEncoder().encode("lamp,device=L1 level=2 2000000"), write);
  expect(engine.remember(0)).toBe(begun);
  await engine.close();
});

test("the nth smallest is what stands there in order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), { minLength: 1 }),
      fc.nat(),
      (values, n) => {
        const place = n % values.length;
        const sorted = Float64Array.from(values).sort();
        expect(nthSmallest(Float64Array.from(values), place) - (sorted[place] as number) || 0).toBe(0);
      },
    ),
  );
});
