import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonical } from "#protocol/canonical.ts";
import { seededChance } from "#protocol/chance.ts";
import { Fault } from "#protocol/faults.ts";
import type { Command, Order } from "#protocol/messages.ts";
import { seconds } from "#protocol/units.ts";
import type { Gate } from "#edge/gate.ts";
import { openGate } from "#edge/gate.ts";
import { ed25519Verifier } from "#edge/ports/ed25519.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { virtualDisk } from "#rehearsal/disk.ts";
import { WINTER_NIGHT, commandOf, lengthVerifier, streetOf } from "./street.ts";

const territory = streetOf(2);
const NOW = WINTER_NIGHT;
const override = { action: "lamp-override", level: 0.7, until: NOW + 3_600_000 } as const;

function gateOn(disk = virtualDisk(), clock = virtualClock(NOW), verifier = lengthVerifier) {
  const gate = openGate({ territory, station: "S-1", disk, clock, verifier });
  const done: Order[] = [];
  const pass = (command: Command, refusal?: string) =>
    gate.pass(command, (_, order) => {
      done.push(order);
      return refusal;
    });
  return { gate, clock, disk, done, pass };
}

describe("A command", () => {
  test("that is signed, in time, next in sequence and within limits reaches the device and is answered applied", () => {
    const { pass, done } = gateOn();
    expect(pass(commandOf("S-1", "L1", 1, override, NOW))).toEqual({
      command: "c-L1-1",
      device: "L1",
      sequence: 1,
      at: NOW,
      outcome: "applied",
    });
    expect(done).toEqual([override]);
  });

  test("with a wrong signature, or changed after it was signed, is refused", () => {
    const { pass, done } = gateOn();
    const command = commandOf("S-1", "L1", 1, override, NOW);
    const forged = pass({ ...command, signature: "1" });
    expect(forged).toMatchObject({ outcome: "refused", because: expect.stringContaining("valid signature") });
    expect(pass({ ...command, sequence: 10 })).toMatchObject({ outcome: "refused" });
    expect(done).toEqual([]);
  });

  test("is let through by the server's real key only", () => {
    const server = generateKeyPairSync("ed25519");
    const other = generateKeyPairSync("ed25519");
    const verifier = ed25519Verifier(server.publicKey.export({ type: "spki", format: "pem" }));
    const { pass } = gateOn(undefined, undefined, verifier);
    const { signature: _, ...unsigned } = commandOf("S-1", "L1", 1, override, NOW);
    const signedBy = (key: typeof server.privateKey): Command => ({
      ...unsigned,
      signature: sign(null, Buffer.from(canonical(unsigned)), key).toString("base64url"),
    });
    expect(pass(signedBy(other.privateKey))).toMatchObject({ outcome: "refused" });
    expect(pass(signedBy(server.privateKey))).toMatchObject({ outcome: "applied" });
  });

  test("that is past its expiry by the station's own clock is refused, and says by how much", async () => {
    const { pass, clock, done } = gateOn();
    const command = commandOf("S-1", "L1", 1, override, NOW, NOW + 10_000);
    await clock.run((NOW + 19_000) as typeof NOW);
    expect(pass(command)).toMatchObject({
      outcome: "refused",
      because: expect.stringContaining("9 s after its expiry"),
    });
    expect(done).toEqual([]);
  });

  test("for another station is not even answered; for a device that is not here it is refused", () => {
    const { pass, done } = gateOn();
    expect(pass(commandOf("S-2", "L2", 1, override, NOW))).toBeUndefined();
    expect(pass(commandOf("S-1", "L2", 1, override, NOW))).toMatchObject({ outcome: "refused" });
    expect(pass(commandOf("S-1", "L99", 1, override, NOW))).toMatchObject({ outcome: "refused" });
    expect(done).toEqual([]);
  });

  test("that comes again is answered as before and not acted on again, even after its expiry and a restart", async () => {
    const { pass, clock, disk, done } = gateOn();
    const command = commandOf("S-1", "L1", 1, override, NOW, NOW + 10_000);
    pass(command);
    expect(pass(command)).toMatchObject({ outcome: "applied" });
    await clock.run((NOW + 60_000) as typeof NOW);
    const later = gateOn(disk, clock);
    expect(later.pass(command)).toMatchObject({ outcome: "applied", sequence: 1 });
    expect([...done, ...later.done]).toEqual([override]);
  });

  test("is still answered as before when another one for its device has passed since", () => {
    const { pass, done } = gateOn();
    const first = commandOf("S-1", "L1", 1, override, NOW);
    const second = commandOf("S-1", "L1", 2, { action: "release" }, NOW);
    pass(first);
    pass(second);
    expect(pass(first)).toMatchObject({ command: "c-L1-1", outcome: "applied" });
    expect(done).toHaveLength(2);
  });

  test("with a sequence at or below the last one is refused", () => {
    const { pass, done } = gateOn();
    pass(commandOf("S-1", "L1", 5, override, NOW));
    expect(pass(commandOf("S-1", "L1", 4, override, NOW))).toMatchObject({
      outcome: "refused",
      because: expect.stringContaining("sequence 4, not after the last one (5)"),
    });
    expect(pass(commandOf("S-1", "L1", 5, { action: "release" }, NOW))).toMatchObject({ outcome: "applied" });
    expect(done).toEqual([override]);
  });

  test("that the power cut short is never done twice: it is answered as refused, and the next one passes", () => {
    const { gate, disk } = gateOn();
    const command = commandOf("S-1", "L1", 1, override, NOW);
    expect(() =>
      gate.pass(command, () => {
        throw new Error("the power goes");
      }),
    ).toThrow("the power goes");
    disk.crash(seededChance(1));
    const after = gateOn(disk);
    expect(after.pass(command)).toMatchObject({
      outcome: "refused",
      because: expect.stringContaining("the power went"),
    });
    expect(after.done).toEqual([]);
    expect(after.pass(commandOf("S-1", "L1", 2, override, NOW))).toMatchObject({ outcome: "applied" });
  });

  test("is not acted on while its sequence cannot be kept on a full disk, and passes when there is room", () => {
    const { pass, disk, done } = gateOn();
    const command = commandOf("S-1", "L1", 1, override, NOW);
    disk.full = true;
    expect(() => pass(command)).toThrow(Fault);
    expect(done).toEqual([]);
    disk.full = false;
    expect(pass(command)).toMatchObject({ outcome: "applied" });
    expect(done).toEqual([override]);
  });

  test("that the device itself refuses is answered with its reason, again and again", () => {
    const { pass, done } = gateOn();
    const command = commandOf("S-1", "L1", 1, override, NOW);
    const answer = pass(command, "its driver does not dim");
    expect(answer).toMatchObject({ outcome: "refused", because: "L1 refuses lamp-override: its driver does not dim." });
    expect(pass(command)).toEqual(answer);
    expect(done).toHaveLength(1);
  });
});

const week = seconds(7 * 86_400) * 1000;
const broken: [string, string, Order][] = [
  ["an order that the kind does not know", "L1", { action: "round", round: "r", stops: [] }],
  ["an order for a sensor, which obeys nothing", "P1", override],
  ["an override that has ended already", "L1", { ...override, until: NOW - 1 }],
  ["an override longer than a week", "L1", { ...override, until: NOW + week + 1 }],
  [
    "a programme whose steps are out of order",
    "L1",
    {
      action: "programme",
      floor: 0,
      hold_s: 30,
      steps: [
        { at: 2, idle: 0.2, active: 1 },
        { at: 1, idle: 0.2, active: 1 },
      ],
    },
  ],
];
for (const [what, device, order] of broken) {
  test(`The gate refuses ${what}`, () => {
    const { pass, done } = gateOn();
    expect(pass(commandOf("S-1", device, 1, order, NOW))).toMatchObject({ outcome: "refused" });
    expect(done).toEqual([]);
  });
}

const act = (): undefined => undefined;

test("A round with a site that is not in the territory is refused by name", () => {
  const gate: Gate = openGate({
    territory,
    station: "S-V",
    disk: virtualDisk(),
    clock: virtualClock(NOW),
    verifier: lengthVerifier,
  });
  const round = (site: string): Order => ({
    action: "round",
    round: "r1",
    stops: [{ site, what: "container", eta: NOW }],
  });
  expect(gate.pass(commandOf("S-V", "V1", 1, round("C1"), NOW), act)).toMatchObject({ outcome: "applied" });
  expect(gate.pass(commandOf("S-V", "V1", 2, round("C7"), NOW), act)).toMatchObject({
    outcome: "refused",
    because: expect.stringContaining("there is no site C7"),
  });
});
