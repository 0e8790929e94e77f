import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededChance } from "#protocol/chance.ts";
import { Fault } from "#protocol/faults.ts";
import type { MessageClass } from "#protocol/kinds.ts";
import type { Reading } from "#protocol/messages.ts";
import { parseBatch } from "#protocol/messages.ts";
import type { Instant } from "#protocol/units.ts";
import { instant } from "#protocol/units.ts";
import type { Outbox } from "#edge/outbox.ts";
import { openOutbox } from "#edge/outbox.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import type { VirtualDisk } from "#rehearsal/disk.ts";
import { virtualDisk } from "#rehearsal/disk.ts";

const clock = virtualClock(instant(1_700_000_000_000));
const CLASSES: Record<string, MessageClass> = { power_W: "sample", level: "state", failed: "event" };
const classOf = (_: string, measure: string): MessageClass => CLASSES[measure] ?? "sample";

function open(disk: VirtualDisk, limit_B = 4 * 1024 * 1024, seed = "epoch"): Outbox {
  return openOutbox({ disk, clock, chance: seededChance(seed), classOf, limit_B });
}

/** The value is the reading's own name, so that each can be recognised at the other end. */
const reading = (value: number, measure = "power_W"): Reading => ({
  device: "L1",
  measure,
  at: (1_700_000_000_000 + value) as Instant,
  value,
});

/** The server's half of the contract: takes a batch when it has all up to `after`, drops what it knows, tells its mark. */
class Taker {
  readonly values: number[] = [];
  epoch = "";
  mark = 0;

  take(payload: Uint8Array): void {
    const { epoch, after, first, readings } = parseBatch(payload);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.mark = 0;
    }
    if (after > this.mark) return;
    for (const [index, { value }] of readings.entries()) {
      if (first + index <= this.mark) continue;
      this.values.push(value);
    }
    this.mark = Math.max(this.mark, first + readings.length - 1);
  }

  drain(outbox: Outbox): void {
    for (let turn = 0; turn < 10_000; turn++) {
      const batch = outbox.batch();
      if (batch === undefined) return;
      this.take(batch.payload);
      outbox.receipt(this.epoch, this.mark);
    }
    throw new Error("the outbox does not empty");
  }
}

describe("An outbox", () => {
  test("numbers readings from 1 and hands out the oldest batch until a receipt covers it", () => {
    const outbox = open(virtualDisk());
    for (const value of [10, 20, 30]) outbox.append(reading(value));
    expect(outbox.batch()).toBeUndefined();
    outbox.flush();
    const batch = outbox.batch();
    expect(batch).toMatchObject({ after: 0, first: 1, last: 3 });
    expect(parseBatch(batch?.payload as Uint8Array).readings.map(({ value }) => value)).toEqual([10, 20, 30]);
    expect(outbox.batch()).toEqual(batch);
    outbox.receipt(outbox.epoch, 3);
    expect(outbox.batch()).toBeUndefined();
    expect(outbox.waiting).toBe(0);
  });

  test("goes on behind the mark when a receipt ends inside a batch", () => {
    const outbox = open(virtualDisk());
    for (const value of [10, 20, 30]) outbox.append(reading(value));
    outbox.flush();
    outbox.receipt(outbox.epoch, 2);
    const batch = outbox.batch();
    expect(batch).toMatchObject({ after: 2, first: 3, last: 3 });
    expect(parseBatch(batch?.payload as Uint8Array)).toMatchObject({ after: 2, first: 3, readings: [{ value: 30 }] });
  });

  test("joins what has waited into batches of at most 500", () => {
    const outbox = open(virtualDisk());
    for (let value = 1; value <= 1200; value++) {
      outbox.append(reading(value));
      if (value % 7 === 0) outbox.flush();
    }
    outbox.flush();
    const sizes: number[] = [];
    for (let batch = outbox.batch(); batch !== undefined; batch = outbox.batch()) {
      sizes.push(batch.last - batch.first + 1);
      outbox.receipt(outbox.epoch, batch.last);
    }
    // Blocks of 7 go into 500 seventy-one times: 497, 497, and the 206 that are left.
    expect(sizes).toEqual([497, 497, 206]);
  });

  test("answers a receipt of another epoch with nothing", () => {
    const outbox = open(virtualDisk());
    outbox.append(reading(1));
    outbox.flush();
    outbox.receipt("another", 1);
    expect(outbox.waiting).toBe(1);
  });

  test("begins a new epoch when its files are lost, and only then", () => {
    const disk = virtualDisk();
    const outbox = open(disk);
    outbox.append(reading(1));
    outbox.flush();
    outbox.receipt(outbox.epoch, 1);
    expect(open(disk, undefined, "other").epoch).toBe(outbox.epoch);
    expect(open(virtualDisk(), undefined, "other").epoch).not.toBe(outbox.epoch);
  });

  test("never gives a number twice, though all its readings were received and it restarts", () => {
    const disk = virtualDisk();
    const outbox = open(disk);
    for (let value = 1; value <= 5; value++) outbox.append(reading(value));
    outbox.flush();
    outbox.receipt(outbox.epoch, 5);
    const again = open(disk);
    again.receipt(again.epoch, 5);
    again.append(reading(6));
    again.flush();
    expect(again.batch()).toMatchObject({ after: 5, first: 6 });
  });

  test("goes back to a server that stands further back, as far as it still can", () => {
    const outbox = open(virtualDisk());
    outbox.append(reading(1));
    outbox.flush();
    outbox.receipt(outbox.epoch, 1);
    outbox.append(reading(2));
    outbox.flush();
    // The server was restored from yesterday and knows nothing: what it had confirmed is gone, the rest must not wait.
    outbox.receipt(outbox.epoch, 0);
    expect(outbox.batch()).toMatchObject({ after: 0, first: 2, last: 2 });
  });

  test("numbers anew, in a new epoch, when the server knows numbers that its disk has forgotten", () => {
    const outbox = open(virtualDisk());
    const { epoch } = outbox;
    outbox.append(reading(1));
    outbox.flush();
    outbox.receipt(epoch, 40);
    expect(outbox.epoch).not.toBe(epoch);
    expect(outbox.batch()).toMatchObject({ after: 0, first: 1, last: 1 });
  });

  test("keeps its files few and small while receipts come", () => {
    const disk = virtualDisk();
    const outbox = open(disk);
    const taker = new Taker();
    for (let value = 1; value <= 20_000; value++) {
      outbox.append(reading(value));
      if (value % 10 === 0) {
        outbox.flush();
        taker.drain(outbox);
      }
    }
    expect(taker.values).toHaveLength(20_000);
    expect(disk.bytes()).toBeLessThan(2 * 32 * 1024);
  });
});

describe("An outbox that is full", () => {
  const fill = (disk: VirtualDisk, count: number): Outbox => {
    const outbox = open(disk, 64 * 1024);
    for (let value = 0; value < count; value++) {
      outbox.append(reading(value, ["power_W", "level", "power_W", "failed"][value % 4]));
      if (value % 8 === 7) outbox.flush();
    }
    return outbox;
  };
  const received = (outbox: Outbox): number[] => {
    const taker = new Taker();
    taker.drain(outbox);
    return taker.values;
  };

  test("drops samples before states and states before events, and counts them by class", () => {
    // 8 readings take about 120 bytes, so that 64 KiB hold some 4,300; half of them are samples.
    const samplesGone = fill(virtualDisk(), 5000);
    expect(samplesGone.dropped.sample).toBeGreaterThan(0);
    expect(samplesGone.dropped).toMatchObject({ state: 0, event: 0 });
    const statesGone = fill(virtualDisk(), 20_000);
    expect(statesGone.dropped.state).toBeGreaterThan(0);
    const eventsGone = fill(virtualDisk(), 60_000);
    expect(eventsGone.dropped.event).toBeGreaterThan(0);
    expect(eventsGone.dropped.state).toBeGreaterThan(eventsGone.dropped.event);
  });

  test("stays within its bytes, and delivers exactly what it has not counted as dropped", () => {
    for (const count of [1000, 5000, 20_000, 60_000]) {
      const disk = virtualDisk();
      const outbox = fill(disk, count);
      outbox.flush();
      expect(disk.bytes()).toBeLessThanOrEqual(64 * 1024);
      const { sample, state, event } = outbox.dropped;
      expect(outbox.waiting).toBe(count - sample - state - event);
      const values = received(outbox);
      expect(values).toHaveLength(count - sample - state - event);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(values.at(-1)).toBe(count - 1);
    }
  });

  test("still knows after a restart what it dropped", () => {
    const disk = virtualDisk();
    const { dropped } = fill(disk, 20_000);
    const again = open(disk, 64 * 1024).dropped;
    expect(again.state).toBeGreaterThan(0);
    expect(again.sample).toBeLessThanOrEqual(dropped.sample);
  });
});

describe("An outbox on a disk that takes nothing", () => {
  test("holds readings in memory, drops the least important beyond its bound, and goes on when there is room", () => {
    const disk = virtualDisk();
    const outbox = open(disk);
    outbox.append(reading(-1, "failed"));
    outbox.flush();
    disk.full = true;
    for (let value = 0; value < 1500; value++) {
      outbox.append(reading(value, value % 3 === 0 ? "failed" : "power_W"));
      outbox.flush();
    }
    expect(outbox.diskFailing).toBe(true);
    expect(outbox.dropped).toEqual({ sample: 500, state: 0, event: 0 });
    disk.full = false;
    outbox.flush();
    expect(outbox.diskFailing).toBe(false);
    const taker = new Taker();
    taker.drain(outbox);
    expect(taker.values.filter((value) => value % 3 === 0)).toHaveLength(500);
    expect(taker.values).toHaveLength(1001);
  });
});

test("An outbox whose disk does not answer at the start takes readings all the same, and finds its numbers later", () => {
  const disk = virtualDisk();
  const before = open(disk);
  before.append(reading(1));
  before.flush();
  let failing = true;
  const sick: VirtualDisk = {
    ...disk,
    list(prefix) {
      if (failing) throw new Fault("DISK_FAILED", { file: prefix, problem: "EIO" });
      return disk.list(prefix);
    },
  };
  const outbox = open(sick);
  outbox.append(reading(2));
  outbox.flush();
  expect(outbox.diskFailing).toBe(true);
  expect(outbox.batch()).toBeUndefined();
  failing = false;
  outbox.flush();
  expect(outbox.diskFailing).toBe(false);
  expect(outbox.batch()).toMatchObject({ after: 0, first: 1, last: 2 });
});

test("An outbox publishes nothing that the disk has not synced", () => {
  const disk = virtualDisk();
  let failing = true;
  const sick: VirtualDisk = {
    ...disk,
    sync(name) {
      if (failing) throw new Fault("DISK_FAILED", { file: name, problem: "EIO" });
      disk.sync(name);
    },
  };
  const outbox = open(sick);
  outbox.append(reading(1));
  outbox.flush();
  expect(outbox.batch()).toBeUndefined();
  failing = false;
  outbox.flush();
  expect(outbox.batch()).toMatchObject({ first: 1, last: 1 });
});

test("A flush that fills several segments is safe in all of them", () => {
  const disk = virtualDisk();
  const outbox = open(disk);
  for (let value = 0; value < 10_000; value++) outbox.append(reading(value));
  outbox.flush();
  expect(disk.list("outbox/").length).toBeGreaterThan(1);
  disk.crash(seededChance(1));
  expect(open(disk).waiting).toBe(10_000);
});

test("A reading is not taken for one that the server already has, though a rotten sector hides that one's number", () => {
  const disk = virtualDisk();
  const outbox = open(disk);
  const taker = new Taker();
  for (let value = 1; value <= 5; value++) outbox.append(reading(value));
  outbox.flush();
  taker.take(outbox.batch()?.payload as Uint8Array);
  const [name] = disk.list("outbox/") as [string];
  const bytes = (disk.read(name) as Uint8Array).slice();
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  disk.replace(name, bytes);
  const again = open(disk);
  for (let value = 6; value <= 12; value++) again.append(reading(value));
  again.flush();
  taker.drain(again);
  expect(taker.values).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

/** What may happen to an outbox, in any order. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant("append" as const), count: fc.integer({ min: 1, max: 700 }) }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("flush" as const) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("send" as const), receipt: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("late receipt" as const), back: fc.integer({ min: 0, max: 900 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("full disk" as const), full: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("power cut" as const) }) },
);

describe("Whatever happens", () => {
  test("nothing that was flushed is lost, nothing arrives twice, nothing out of order", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.integer(), (happenings, seed) => {
        const chance = seededChance(seed);
        const disk = virtualDisk();
        const taker = new Taker();
        let outbox = open(disk);
        let next = 1;
        let unflushed: number[] = [];
        const safe: number[] = [];
        for (const happened of happenings) {
          if (happened.what === "append") {
            // Fewer than the bound of what waits in memory while the disk is full.
            for (let count = 0; count < happened.count && unflushed.length < 900; count++) {
              outbox.append(reading(next));
              unflushed.push(next++);
            }
          } else if (happened.what === "flush") {
            outbox.flush();
            if (outbox.diskFailing) continue;
            safe.push(...unflushed);
            unflushed = [];
          } else if (happened.what === "send") {
            const batch = outbox.batch();
            if (batch !== undefined) taker.take(batch.payload);
            if (happened.receipt && batch !== undefined) outbox.receipt(taker.epoch, taker.mark);
          } else if (happened.what === "late receipt") {
            outbox.receipt(taker.epoch, Math.max(0, taker.mark - happened.back));
          } else if (happened.what === "full disk") {
            disk.full = happened.full;
          } else {
            disk.crash(chance);
            outbox = open(disk, undefined, String(seed));
            unflushed = [];
          }
        }
        disk.full = false;
        outbox.flush();
        safe.push(...unflushed);
        taker.drain(outbox);
        expect(taker.values).toEqual(taker.values.toSorted((a, b) => a - b));
        expect(new Set(taker.values).size).toBe(taker.values.length);
        expect(safe.filter((value) => !taker.values.includes(value))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test("a full outbox loses only what it counts, the least important first, over power cuts too", () => {
    const kinds = ["power_W", "level", "failed"];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(9)), { maxLength: 120 }), (turns) => {
        const disk = virtualDisk();
        const limit_B = 16 * 1024;
        let outbox = open(disk, limit_B);
        const taker = new Taker();
        const safe: string[] = [];
        let next = 0;
        let cuts = 0;
        for (const [count, luck] of turns) {
          for (let turn = 0; turn < count; turn++) {
            const measure = kinds[next % 3] as string;
            outbox.append(reading(next, measure));
            safe[next++] = measure;
          }
          outbox.flush();
          expect(disk.bytes()).toBeLessThanOrEqual(limit_B);
          if (luck === 0) {
            disk.crash(seededChance(next));
            outbox = open(disk, limit_B);
            cuts++;
          }
          const batch = luck < 3 ? outbox.batch() : undefined;
          if (batch !== undefined) {
            taker.take(batch.payload);
            outbox.receipt(taker.epoch, taker.mark);
          }
        }
        taker.drain(outbox);
        const missing = safe.filter((_, value) => !taker.values.includes(value));
        const { sample, state, event } = outbox.dropped;
        expect(new Set(taker.values).size).toBe(taker.values.length);
        // A power cut may forget the last count, never make it larger than what is missing.
        if (cuts === 0) expect(sample + state + event).toBeGreaterThanOrEqual(missing.length);
        if (event === 0) expect(missing.filter((measure) => measure === "failed")).toEqual([]);
        if (event === 0 && state === 0) expect(missing.filter((measure) => measure === "level")).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test("a rotten byte anywhere costs at most the rest of its segment, and no later reading is taken for an older one", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const disk = virtualDisk();
        const outbox = open(disk);
        const taker = new Taker();
        for (let value = 1; value <= 4000; value++) {
          outbox.append(reading(value));
          if (value % 20 === 0) outbox.flush();
        }
        while (taker.mark < 2000) {
          taker.take(outbox.batch()?.payload as Uint8Array);
          outbox.receipt(taker.epoch, taker.mark);
        }
        const names = disk.list("outbox/");
        const name = names[place % names.length] as string;
        const bytes = (disk.read(name) as Uint8Array).slice();
        bytes[place % bytes.length] = (bytes[place % bytes.length] as number) ^ flip;
        disk.replace(name, bytes);
        const again = open(disk);
        for (let value = 4001; value <= 4100; value++) again.append(reading(value));
        again.flush();
        taker.drain(again);
        expect(new Set(taker.values).size).toBe(taker.values.length);
        expect(taker.values.filter((value) => value > 4000)).toHaveLength(100);
      }),
      { numRuns: 60 },
    );
  });
});
