import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { instant, seconds } from "#protocol/units.ts";
import { systemClock } from "#server/ports/clock.ts";
import type { Describe } from "#server/store/describe.ts";
import { influx1Store } from "#server/store/influx1.ts";
import { influx2Store } from "#server/store/influx2.ts";
import type { Contribution, Store } from "#server/store/store.ts";
import { influxdPath, startInfluxd } from "../../influxd.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

const NOW = Date.now();
const COMMIT = 5000;
const lamp: Describe = (device) => ({ measurement: "lamp", tags: { device, station: "pole" } });
const common = { describe: lamp, clock: systemClock };
const says = (first: number, ...values: readonly [at: number, value: number][]): Contribution => ({
  station: "pole",
  epoch: "e",
  first,
  readings: values.map(([at, value]) => ({ device: "lamp-1", measure: "level", at: instant(at), value })),
});
const values = async (store: Store): Promise<number[]> =>
  (await store.range("lamp-1", "level", instant(0), instant(NOW + 1e6), 100)).map(({ value }) => value);
const fault = (doing: Promise<unknown>): Promise<unknown> => doing.then(() => "done", (problem: unknown) => problem); // prettier-ignore

async function influxd(settings: Parameters<typeof startInfluxd>[0] = {}) {
  const server = await startInfluxd({ flux: false, ...settings });
  ending.push(() => server.stop());
  return server;
}

async function ask(url: string, statement: string): Promise<void> {
  const answer = await fetch(`${url}/query?${new URLSearchParams({ q: statement })}`, { method: "POST" });
  expect(await answer.json()).toEqual({ results: [{ statement_id: 0 }] });
}

describe.skipIf(influxdPath === undefined)("against a real InfluxDB", () => {
  test("without the right password it is refused, with the address and what to check; with it, it is not", async () => {
    const { url } = await influxd({ auth: true });
    await ask(url, "CREATE USER ana WITH PASSWORD 'secret' WITH ALL PRIVILEGES");
    const stores = [
      influx1Store({ ...common, url, database: "vigie" }),
      influx1Store({ ...common, url, database: "vigie", user: "ana", password: "wrong" }),
      influx2Store({ ...common, url, org: "o", bucket: "vigie/raw", token: "ana:wrong" }),
    ];
    for (const store of stores) {
      expect(await fault(store.open())).toMatchObject({ code: "STORE_REFUSED", facts: { address: expect.stringContaining(url) } }); // prettier-ignore
    }
    const known = influx1Store({ ...common, url, database: "vigie", user: "ana", password: "secret" });
    await known.commit([says(1, [NOW, 0.5])]);
    expect(await values(known)).toEqual([0.5]);
  });

  test("one that stands still counts as unreachable after the time it is given, and is used again when it goes on", async () => {
    const server = await influxd();
    const store = influx1Store({ ...common, url: server.url, database: "vigie", timeout: seconds(0.5) });
    await store.commit([says(1, [NOW, 0.1])]);
    process.kill(server.pid, "SIGSTOP");
    expect(await fault(store.commit([says(2, [NOW + 1, 0.2])]))).toMatchObject({
      code: "STORE_UNREACHABLE",
      facts: { problem: "no answer within 0.5 s" },
    });
    process.kill(server.pid, "SIGCONT");
    await store.commit([says(2, [NOW + 1, 0.2])]);
    expect(await values(store)).toEqual([0.1, 0.2]);
  });

  test("one whose disk takes no more says so; what was acknowledged is there, and it goes on when there is room", async () => {
    // Its files of series have 4 MiB from the start; the log of what was written has to grow to that.
    const server = await influxd({ largestFile_kB: 4200 });
    const store = influx1Store({ ...common, url: server.url, database: "vigie" });
    let taken = 0;
    let problem: unknown;
    while (problem === undefined) {
      const many = Array.from({ length: COMMIT }, (_, index): [number, number] => [
        NOW + taken * COMMIT + index,
        Math.random(),
      ]);
      const answer = await fault(store.commit([says(1 + taken * COMMIT, ...many)]));
      if (answer === "done") taken++;
      else problem = answer;
    }
    expect(problem).toMatchObject({
      code: "STORE_FAILED",
      facts: { problem: expect.stringContaining("file too large") },
    });
    await server.kill();
    await server.start({ largestFile_kB: undefined });
    expect((await store.marks()).map(({ upTo }) => upTo)).toEqual([taken * COMMIT]);
    await store.commit([says(1 + taken * COMMIT, [NOW + taken * COMMIT, 1])]);
    expect((await store.series())[0]?.count).toBeGreaterThan(taken * COMMIT);
  });

  test("readings older than the server's own retention are let go, and those beside them are kept", async () => {
    const { url } = await influxd();
    const store = influx1Store({ ...common, url, database: "vigie" });
    await store.open();
    await ask(url, `ALTER RETENTION POLICY raw ON vigie DURATION 2d SHARD DURATION 1d`);
    await store.commit([says(1, [NOW - 90 * 86_400_000, 0.1], [NOW, 0.2])]);
    expect(await values(store)).toEqual([0.2]);
    expect((await store.marks()).map(({ upTo }) => upTo)).toEqual([2]);
  });

  test("a field that somebody else has written as another type is named, and no mark is moved", async () => {
    const { url } = await influxd();
    const store = influx1Store({ ...common, url, database: "vigie" });
    await store.open();
    await fetch(`${url}/write?db=vigie&rp=raw`, { method: "POST", body: `lamp,device=lamp-9 level=1i ${NOW}000000` });
    const refused = await fault(store.commit([says(1, [NOW, 0.2])]));
    expect(refused).toMatchObject({ code: "STORE_FAILED" });
    expect((refused as Error).message).toContain(`field type conflict: input field "level" on measurement "lamp"`);
    expect(await store.marks()).toEqual([]);
  });
});

/** What of InfluxDB 2.x its 1.8 does not answer, by InfluxData's description of the API: buckets, deletion, metrics. */
test("an InfluxDB 2.x is asked for its buckets, which are made where they are missing and told how long to keep, and for deletion by time", async () => {
  const asked: string[] = [];
  const bodyOf = async (request: IncomingMessage): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    return (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
  };
  const answers: Record<string, (query: URLSearchParams) => [status: number, answer?: object | string]> = {
    "GET /api/v2/buckets": (query) => {
      const name = query.get("name") ?? "";
      if (name === "town") return [200, { buckets: [{ id: "b1", name, retentionRules: [] }] }];
      // As it shall be already.
      if (name === "town-chronicle") {
        const retentionRules = [{ type: "expire", everySeconds: 157_766_400, shardGroupDurationSeconds: 604_800 }];
        return [200, { buckets: [{ id: "b3", name, retentionRules }] }];
      }
      return [404, { code: "not found", message: `bucket "${name}" not found` }];
    },
    "POST /api/v2/buckets": () => [201, { id: "b2" }],
    "GET /api/v2/orgs": () => [200, { orgs: [{ id: "o1", name: "org" }] }],
    "POST /api/v2/query": () => [200, "\r\n"],
    "GET /metrics": () => {
      return [200, 'storage_shard_disk_size{bucket="b1",id="1"} 1200\nstorage_shard_disk_size{bucket="b9",id="2"} 5\n'];
    },
  };
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const { pathname, searchParams } = new URL(request.url ?? "", "http://two");
    expect(request.headers.authorization).toBe("Token t");
    asked.push(`${request.method} ${pathname} ${body}`);
    const [status, answer] = answers[`${request.method} ${pathname}`]?.(searchParams) ?? [204];
    response.writeHead(status, { "content-type": typeof answer === "object" ? "application/json" : "text/plain" });
    response.end(typeof answer === "object" ? JSON.stringify(answer) : answer);
  };
  const server = createServer((request, response) => void reply(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ending.push(() => server.close());
  const { port } = server.address() as { port: number };
  const retention = { raw_d: 90, quarters_d: 1826 };
  const url = `http://127.0.0.1:${port}`;
  const store = influx2Store({ ...common, url, org: "org", bucket: "town", token: "t", retention });
  await store.commit([says(1, [NOW, 0.5])]);
  await store.prune(instant(Date.UTC(2026, 0, 1)), instant(Date.UTC(2021, 0, 1)));
  expect((await store.size()).bytes).toBe(1200);
  const rules = (everySeconds: number, shardGroupDurationSeconds: number): string =>
    JSON.stringify([{ type: "expire", everySeconds, shardGroupDurationSeconds }]);
  // 90 days, and 1,826; a year less a day, a week and four weeks a shard.
  expect(asked.filter((each) => /^(POST|PATCH) .*buckets/.test(each))).toEqual([
    `PATCH /api/v2/buckets/b1 {"retentionRules":${rules(7_776_000, 86_400)}}`,
    `POST /api/v2/buckets {"orgID":"o1","name":"town-quarter","retentionRules":${rules(157_766_400, 2_419_200)}}`,
    `POST /api/v2/buckets {"orgID":"o1","name":"town-hour","retentionRules":${rules(0, 31_449_600)}}`,
    `POST /api/v2/buckets {"orgID":"o1","name":"town-marks","retentionRules":${rules(0, 604_800)}}`,
  ]);
  expect(asked).toContain(`POST /api/v2/write lamp,device=lamp-1,station=pole level=0.5 ${NOW}`);
  expect(asked).toContain("POST /api/v2/write vigie_marks,epoch=e,station=pole order=1,up_to=1 0");
  const deleted = (stop: string): string => `POST /api/v2/delete {"start":"1970-01-01T00:00:00Z","stop":"${stop}"}`;
  expect(asked.filter((each) => each.includes("delete"))).toEqual([
    deleted("2025-12-31T23:59:59.999Z"),
    deleted("2020-12-31T23:59:59.999Z"),
    deleted("2020-12-31T23:59:59.999Z"),
  ]);
});
