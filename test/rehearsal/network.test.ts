import { expect, test } from "vitest";
import type { Session } from "#edge/uplink.ts";
import { seededChance } from "#protocol/chance.ts";
import { Fault } from "#protocol/faults.ts";
import { allDown, down, streetTopic, up } from "#protocol/topics.ts";
import { instant, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { virtualNetwork } from "#rehearsal/network.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

function scene() {
  const clock = virtualClock(instant(0));
  const network = virtualNetwork(clock, seededChance(1));
  const heard: string[] = [];
  const taken: string[] = [];
  const start = (take: (payload: string) => Promise<void> = () => Promise.resolve()) =>
    network.broker.start({
      authenticate: (_, password) => password === "right",
      mayPublish: (station, topic) => topic.includes(`/${station}/up/`) || topic.includes("/street/"),
      maySubscribe: () => true,
      onMessage: async (station, _, payload) => {
        await take(text(payload));
        taken.push(`${station}:${text(payload)}`);
      },
    });
  const join = (station: string, password = "right"): Session => {
    const session = network.uplink.connect({
      clientId: station,
      username: station,
      password,
      keepAlive_s: 30,
      will: { topic: up("t", station, "status"), payload: bytes("gone") },
      onUp: () => {
        heard.push(`${station} up`);
        session.subscribe([allDown("t", station), streetTopic("t", "R1")]);
      },
      onDown: (problem) => heard.push(`${station} down: ${problem}`),
      onMessage: (_, payload) => heard.push(`${station} hears ${text(payload)}`),
    });
    return session;
  };
  return { clock, network, heard, taken, start, join };
}

test("a message is acknowledged only when the server has taken it", async () => {
  const { clock, taken, start, join } = scene();
  let take: (() => void) | undefined;
  await start(() => new Promise((resolve) => (take = resolve)));
  const session = join("S1");
  await clock.run(instant(1000));
  const acknowledged: number[] = [];
  session.publish(up("t", "S1", "readings"), bytes("a"), {}, () => acknowledged.push(clock.now()));
  await clock.run(instant(5000));
  expect(acknowledged).toEqual([]);
  take?.();
  await clock.run(instant(6000));
  expect(taken).toEqual(["S1:a"]);
  expect(acknowledged).toHaveLength(1);
});

test("a wrong password, a foreign name and a cut line are each said as what they are", async () => {
  const { clock, network, heard, taken, start, join } = scene();
  await start();
  join("S1", "wrong");
  await clock.run(instant(1000));
  expect(heard).toEqual(["S1 down: the broker refuses the password"]);
  const session = join("S2");
  await clock.run(instant(2000));
  session.publish(up("t", "S9", "readings"), bytes("x"), {});
  await clock.run(instant(3000));
  expect(heard.at(-1)).toBe("S2 down: not authorised");
  join("S3");
  await clock.run(instant(4000));
  network.faults.cut.add("S3");
  network.applyFaults();
  await clock.run(instant(5000));
  expect(heard.at(-1)).toBe("S3 down: the line is cut");
  expect(taken).toEqual(["S2:gone", "S3:gone"]);
});

test("commands reach their station alone, and a street hears its neighbours", async () => {
  const { clock, network, heard, start, join } = scene();
  await start();
  const one = join("S1");
  join("S2");
  await clock.run(instant(1000));
  heard.length = 0;
  network.broker.publish(down("t", "S1", "command"), bytes("brighten"));
  one.shout(streetTopic("t", "R1"), bytes("someone"));
  await clock.run(instant(2000));
  expect(heard.toSorted()).toEqual(["S1 hears brighten", "S1 hears someone", "S2 hears someone"]);
});

test("without disorder messages keep their order; with duplication some come twice; the same seed, the same story", async () => {
  const tell = async (duplicated: number, reordered: number): Promise<string[]> => {
    const { clock, network, taken, start, join } = scene();
    await start();
    const session = join("S1");
    await clock.run(instant(1000));
    network.faults.duplicated = duplicated;
    network.faults.reordered = reordered;
    for (let index = 0; index < 50; index++) {
      clock.after(seconds(index / 100), () => session.publish(up("t", "S1", "readings"), bytes(String(index)), {}));
    }
    await clock.run(instant(20_000));
    return taken;
  };
  const expected = Array.from({ length: 50 }, (_, index) => `S1:${index}`);
  expect(await tell(0, 0)).toEqual(expected);
  const doubled = await tell(0.5, 0);
  expect(doubled.length).toBeGreaterThan(55);
  expect([...new Set(doubled)]).toEqual(expected);
  const disordered = await tell(0, 0.3);
  expect(disordered).not.toEqual(expected);
  expect(disordered.toSorted()).toEqual(expected.toSorted());
  expect(await tell(0.3, 0.3)).toEqual(await tell(0.3, 0.3));
});

test("when the server dies, what it had not acknowledged stays unacknowledged", async () => {
  const { clock, network, heard, start, join } = scene();
  let take: (() => void) | undefined;
  await start(() => new Promise((resolve) => (take = resolve)));
  const session = join("S1");
  await clock.run(instant(1000));
  let acknowledged = 0;
  session.publish(up("t", "S1", "readings"), bytes("a"), {}, () => acknowledged++);
  await clock.run(instant(1500));
  network.killBroker();
  take?.();
  await clock.run(instant(3000));
  expect(acknowledged).toBe(0);
  expect(heard.at(-1)).toBe("S1 down: the server is gone");
});

test("what comes too early is only not acknowledged; what the server cannot take ends the connection", async () => {
  const { clock, heard, start, join } = scene();
  const answers = [
    new Fault("BATCH_EARLY", { station: "S1", after: 9, upTo: 3 }),
    new Fault("STORE_FAILED", { problem: "full" }),
  ];
  await start(() => Promise.reject(answers.shift()));
  const session = join("S1");
  await clock.run(instant(1000));
  let acknowledged = 0;
  session.publish(up("t", "S1", "readings"), bytes("a"), {}, () => acknowledged++);
  await clock.run(instant(2000));
  expect(heard).toEqual(["S1 up"]);
  session.publish(up("t", "S1", "readings"), bytes("a"), {}, () => acknowledged++);
  await clock.run(instant(3000));
  expect(heard.at(-1)).toBe("S1 down: the server did not take the message");
  expect(acknowledged).toBe(0);
});

test("a goodbye lets the last words arrive and no will; a power cut lets the will be spoken", async () => {
  const { clock, heard, taken, start, join } = scene();
  await start();
  const [polite, gone] = [join("S1"), join("S2")];
  await clock.run(instant(1000));
  polite.publish(up("t", "S1", "readings"), bytes("last"), {});
  polite.close();
  gone.drop();
  await clock.run(instant(3000));
  expect(taken.toSorted()).toEqual(["S1:last", "S2:gone"]);
  expect(heard).toEqual(["S1 up", "S2 up"]);
});

test("an acknowledgement that had left the server before it died still arrives; on a cut line it does not", async () => {
  for (const [end, expected] of [
    ["killed", 1],
    ["cut", 0],
  ] as const) {
    const { clock, network, taken, start, join } = scene();
    await start();
    const session = join("S1");
    await clock.run(instant(1000));
    let acknowledged = 0;
    session.publish(up("t", "S1", "readings"), bytes("a"), {}, () => acknowledged++);
    // The acknowledgement leaves in the turn in which the message is taken, and needs 20 ms at least.
    while (taken.length === 0) await clock.run(instant(clock.now() + 1));
    if (end === "killed") network.killBroker();
    else network.faults.cut.add("S1");
    network.applyFaults();
    await clock.run(instant(5000));
    expect(acknowledged).toBe(expected);
  }
});
