import { request } from "node:http";
import { expect, test } from "vitest";
import { MINUTE, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { createStream } from "#server/api/stream.ts";
import { MONDAY } from "../village.ts";
import { townHall, type TownHall } from "./townHall.ts";

interface Event {
  readonly id: string;
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
}

interface Ear {
  next(): Promise<Event>;
  /** The next event of this name; what others say in between is passed over. */
  nextOf(name: string): Promise<Event>;
  end(): void;
}

/** A village whose first decisions have been made, so that nothing else is said while a test listens. */
async function calmVillage(): Promise<TownHall> {
  const hall = await townHall();
  await hall.pass(30);
  return hall;
}

/** Listens over real HTTP, and hands out one event after the other. */
async function listen(hall: TownHall, headers: Record<string, string> = {}, query = ""): Promise<Ear> {
  const address = hall.api.app.server.listening
    ? `http://127.0.0.1:${(hall.api.app.server.address() as { port: number }).port}`
    : await hall.api.listen(0, "127.0.0.1");
  const asked = request(`${address}/api/v1/events${query}`, { headers: { ...hall.as("viewer"), ...headers } });
  const heard: Event[] = [];
  let waiting: ((event: Event) => void) | undefined;
  let text = "";
  asked.on("response", (response) => {
    response.setEncoding("utf8");
    response.on("data", (part: string) => {
      text += part;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const fields = new Map(
          block.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
        );
        if (!fields.has("event")) continue;
        const event = {
          id: fields.get("id") ?? "",
          event: fields.get("event") ?? "",
          data: JSON.parse(fields.get("data") ?? "null") as unknown,
        };
        if (waiting === undefined) heard.push(event);
        else waiting(event);
        waiting = undefined;
      }
    });
    response.on("error", () => undefined);
  });
  asked.on("error", () => undefined);
  asked.end();
  const next = (): Promise<Event> => {
    const first = heard.shift();
    return first === undefined ? new Promise((resolve) => (waiting = resolve)) : Promise.resolve(first);
  };
  return {
    next,
    async nextOf(name) {
      for (;;) {
        const event = await next();
        if (event.event === name) return event;
      }
    },
    end: () => asked.destroy(),
  };
}

test("who begins to listen is told to read everything, and then hears what changes", async () => {
  const hall = await calmVillage();
  const ear = await listen(hall);
  expect(await ear.next()).toMatchObject({ event: "reset" });
  await hall.report("S-L1", [["L1", "level", 0.4], ["L1", "rule", 3]]); // prettier-ignore
  await hall.report("S-L2", [["L2", "level", 0.9], ["L2", "rule", 2]]); // prettier-ignore
  await hall.pass(1);
  // Both lamps moved within a fifth of a second: they are said together.
  expect(await ear.nextOf("lamps")).toMatchObject({
    event: "lamps",
    data: { ids: ["L1", "L2"], levels: [0.4, 0.9], rules: [3, 2] },
  });
  await hall.report("S-J1", [["J1", "stage", 0], ["J1", "greens", 1]]); // prettier-ignore
  await hall.pass(1);
  expect(await ear.nextOf("junction")).toMatchObject({
    event: "junction",
    data: { id: "J1", stage: "A", greens: ["W"] },
  });
  ear.end();
});

test("who comes back with the last event's id misses nothing, and hears nothing twice", async () => {
  const hall = await calmVillage();
  const ear = await listen(hall);
  await ear.next();
  await hall.report("S-L1", [["L1", "level", 0.1]]);
  await hall.pass(1);
  const last = await ear.nextOf("lamps");
  ear.end();
  for (const level of [0.2, 0.3]) {
    await hall.report("S-L1", [["L1", "level", level]]);
    await hall.pass(1);
  }
  const again = await listen(hall, { "last-event-id": last.id });
  expect((await again.nextOf("lamps")).data.levels).toEqual([0.2]);
  expect((await again.nextOf("lamps")).data.levels).toEqual([0.3]);
  again.end();
  const elsewhere = await listen(hall, {}, `?since=${last.id}`);
  expect((await elsewhere.nextOf("lamps")).data.levels).toEqual([0.2]);
  elsewhere.end();
  const stranger = await listen(hall, { "last-event-id": "another-life-7" });
  expect((await stranger.next()).event).toBe("reset");
  stranger.end();
});

test("an alarm is told to each in their language, with decisions and overrides beside it", async () => {
  const hall = await calmVillage();
  const ears = [await listen(hall, {}, "?lang=fr"), await listen(hall, { "accept-language": "en" })] as const;
  for (const ear of ears) expect((await ear.next()).event).toBe("reset");
  hall.server.alarms.raise({ key: "lamp-failed", subject: "L1", facts: { device: "L1", street: "Rue du Puits" } });
  expect((await ears[0].nextOf("alarm")).data.sentence).toMatch(/signale une panne/);
  expect((await ears[1].nextOf("alarm")).data.sentence).toMatch(/reports a failure/);
  await hall.send("POST", "overrides", {
    scope: { kind: "device", id: "L1" },
    order: { action: "lamp-override", level: 1 },
    reason: "Looking for it",
    until: hall.clock.now() + MINUTE,
  });
  const said = [await ears[0].next(), await ears[0].next()].map(({ event }) => event);
  expect(said.sort()).toEqual(["decision", "override"]);
  await hall.pass(6);
  expect(await ears[0].nextOf("health")).toMatchObject({
    event: "health",
    data: { alarmsOpen: { figure: 1 }, overrides: { figure: 1 } },
  });
  for (const ear of ears) ear.end();
});

test("while history is laid down, the progress is told", async () => {
  const hall = await townHall({ ready: false });
  hall.api.admit(hall.server.access);
  const ear = await listen(hall);
  await ear.next();
  hall.api.progress(0.5);
  expect(await ear.next()).toMatchObject({ event: "progress", data: { state: "preparing", progress: 0.5 } });
  hall.api.ready(hall.server);
  expect(await ear.next()).toMatchObject({ event: "progress", data: { state: "ready", progress: 1 } });
  ear.end();
});

test("what is no longer remembered leads to a reset, and the number of listeners has an end", async () => {
  const clock = virtualClock(MONDAY);
  const stream = createStream(clock, {
    remembered: 3,
    remembered_chars: 1000,
    clients: 1,
    waiting_B: 1000,
    heartbeat_s: 15,
  });
  const written: string[] = [];
  const response = {
    writableLength: 0,
    write: (text: string) => written.push(text),
    on: () => undefined,
    end: () => undefined,
  };
  for (let said = 1; said <= 5; said++) stream.say("progress", { state: "ready", progress: said });
  const life = MONDAY.toString(36);
  const listener = { language: "en" as const, dead: () => false };
  stream.listen(response as never, { ...listener, lastEventId: `${life}-2` });
  expect(written.join("").match(/"progress":\d/g)).toEqual(['"progress":3', '"progress":4', '"progress":5']);
  expect(() => stream.listen(response as never, { ...listener, lastEventId: undefined })).toThrow(
    "Too many event streams",
  );
  stream.close();
  written.length = 0;
  stream.listen(response as never, { ...listener, lastEventId: `${life}-1` });
  expect(written.join("")).toContain("event: reset");
  await clock.run((MONDAY + seconds(16) * 1000) as typeof MONDAY);
  expect(written.at(-1)).toBe(": still here\n\n");
});

test("a listener whose session ends is sent away at the next heartbeat", async () => {
  const hall = await calmVillage();
  const { token } = hall.server.access.redeem(hall.server.access.signInLink("first", "viewer"), "here");
  const ear = await listen(hall, { authorization: "", cookie: `vigie_session=${token}` });
  await ear.next();
  expect(hall.api.app.server.listening).toBe(true);
  hall.server.access.signOut(token);
  await hall.pass(16);
  const { text } = await hall.get("/metrics", {});
  expect(text).toContain("vigie_event_streams 0");
});

test("the memory of what was said is bounded by its size too: long words push out more", () => {
  const clock = virtualClock(MONDAY);
  const stream = createStream(clock, {
    remembered: 1000,
    remembered_chars: 2000,
    clients: 1,
    waiting_B: 1000,
    heartbeat_s: 15,
  });
  const written: string[] = [];
  const response = {
    writableLength: 0,
    write: (text: string) => written.push(text),
    on: () => undefined,
    end: () => undefined,
  };
  const levels = { at: MONDAY, ids: Array.from({ length: 60 }, (_, index) => `lamp-${index}`), levels: [], rules: [] };
  // Each takes some 700 characters: two fit into 2,000, three do not.
  for (let said = 1; said <= 5; said++) stream.say("lamps", levels);
  const life = MONDAY.toString(36);
  stream.listen(response as never, { language: "en", dead: () => false, lastEventId: `${life}-3` });
  expect(written.join("").match(/event: lamps/g)).toHaveLength(2);
  stream.close();
  written.length = 0;
  stream.listen(response as never, { language: "en", dead: () => false, lastEventId: `${life}-2` });
  expect(written.join("")).toContain("event: reset");
  stream.close();
});
