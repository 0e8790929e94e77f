import { request } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { townHall, type TownHall } from "./townHall.ts";

interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

async function ask(hall: TownHall, method: "GET" | "POST", url: string, { headers, body }: Asked = {}) {
  const answer = await hall.api.app.inject({
    method,
    url,
    ...(headers && { headers }),
    ...(body && { payload: body }),
  });
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload };
}

test("it says that it is there as InfluxDB 1.8 does, to anyone", async () => {
  const hall = await townHall();
  const ping = await ask(hall, "GET", "/ping");
  expect(ping.status).toBe(204);
  expect(ping.headers["x-influxdb-version"]).toBe("1.8.10");
  expect((await ask(hall, "GET", "/ping?verbose=true")).text).toBe('{"version":"1.8.10"}');
  expect(JSON.parse((await ask(hall, "GET", "/health")).text)).toMatchObject({ name: "influxdb", status: "pass" });
});

test("while history is laid down its health says so", async () => {
  const hall = await townHall({ ready: false });
  const health = await ask(hall, "GET", "/health");
  expect(health.status).toBe(503);
  expect(JSON.parse(health.text)).toMatchObject({ status: "fail", message: "history is being laid down" });
});

test("a question without credentials, or with wrong ones, is refused in InfluxDB's words", async () => {
  const hall = await townHall();
  const none = await ask(hall, "GET", "/query?q=SHOW+DATABASES");
  expect([none.status, none.text]).toEqual([401, '{"error":"unable to parse authentication credentials"}\n']);
  expect(none.headers["www-authenticate"]).toBe('Basic realm="InfluxDB"');
  for (const headers of [
    { authorization: "Token guess" },
    { authorization: "Token grafana:guess" },
    { authorization: "Bearer guess" },
    { authorization: `Basic ${Buffer.from("grafana:guess").toString("base64")}` },
  ]) {
    const wrong = await ask(hall, "GET", "/query?q=SHOW+DATABASES", { headers });
    expect([wrong.status, wrong.text]).toEqual([401, '{"error":"authorization failed"}\n']);
  }
});

test("an API key or an account with its password may ask, in each way that clients have", async () => {
  const hall = await townHall();
  await hall.server.access.addAccount("grafana", "viewer", "a long password");
  const key = String(hall.as("viewer")["authorization"]).slice("Bearer ".length);
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  for (const authorization of [
    basic("grafana:a long password"),
    basic(`anyone:${key}`),
    `Token ${key}`,
    `Token grafana:${key}`,
    `Bearer ${key}`,
  ]) {
    // 400: whoever asks is known, and is told what the question lacks.
    expect((await ask(hall, "GET", "/query", { headers: { authorization } })).status, authorization).toBe(400);
  }
  expect((await ask(hall, "GET", `/query?u=grafana&p=${encodeURIComponent("a long password")}`)).status).toBe(400);
  await hall.server.access.changeAccount("grafana", { password: "another password" });
  expect((await ask(hall, "GET", `/query?u=grafana&p=${encodeURIComponent("a long password")}`)).status).toBe(401);
});

test("who guesses passwords too often has to wait", async () => {
  const hall = await townHall();
  const guess = () => ask(hall, "GET", "/query?u=grafana&p=guess");
  const answers = [];
  for (let time = 0; time < 11; time++) answers.push((await guess()).status);
  expect(answers).toEqual([...Array<number>(10).fill(401), 429]);
});

test("a viewer reads and does not write", async () => {
  const hall = await townHall();
  const refused = await ask(hall, "POST", "/write?db=vigie", { headers: hall.as("viewer"), body: "m f=1" });
  expect(refused.status).toBe(403);
  expect(refused.text).toBe(
    '{"error":"\\"api-key:of a viewer\\" is a viewer and is not authorized to write: needs the role operator"}\n',
  );
});

test("a request that says too little or nonsense is told what is missing", async () => {
  const hall = await townHall();
  const as = hall.as("operator");
  const cases: readonly [string, "GET" | "POST", number, string][] = [
    ["/query?db=vigie", "GET", 400, 'missing required parameter "q"'],
    ["/query?q=SHOW+DATABASES&params=[1]", "GET", 400, "error parsing query parameters: expected an object"],
    [
      '/query?q=SHOW+DATABASES&params={"x":1e3}',
      "GET",
      400,
      'error parsing json value: strconv.ParseInt: parsing "1e3": invalid syntax',
    ],
    [
      '/query?q=SHOW+DATABASES&params={"x":9223372036854775808}',
      "GET",
      400,
      'error parsing json value: strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    ["/write", "POST", 400, "database is required"],
    ["/write?db=vigie&precision=zz", "POST", 400, 'invalid precision "zz" (use n, u, ms, s, m or h)'],
    ["/api/v2/write?bucket=vigie&precision=m", "POST", 400, 'invalid precision "m" (use ns, us, ms or s)'],
    ["/api/v2/write", "POST", 404, 'bucket name "" is missing a slash; not in "database/retention-policy" format'],
  ];
  for (const [url, method, status, error] of cases) {
    const answer = await ask(hall, method, url, { headers: as, ...(method === "POST" && { body: "m f=1" }) });
    expect([answer.status, JSON.parse(answer.text)], url).toEqual([status, { error }]);
  }
  const csv = await ask(hall, "GET", "/query", { headers: { ...as, accept: "application/csv" } });
  expect(csv.text).toBe('error\n"missing required parameter ""q"""\n');
});

test("a body that is too large, packed or not, is refused before it is read", async () => {
  const hall = await townHall();
  const large = Buffer.alloc(25_000_001, "x");
  const as = hall.as("operator");
  expect((await ask(hall, "POST", "/write?db=vigie", { headers: as, body: large })).status).toBe(413);
  const packed = { ...as, "content-encoding": "gzip" };
  const bomb = await ask(hall, "POST", "/write?db=vigie", { headers: packed, body: gzipSync(large) });
  expect([bomb.status, bomb.text]).toEqual([413, '{"error":"Request Entity Too Large"}\n']);
  const torn = await ask(hall, "POST", "/write?db=vigie", { headers: packed, body: "m f=1" });
  expect([torn.status, torn.text]).toEqual([400, '{"error":"gzip: invalid header"}\n']);
});

test("a client that goes away before all of its question came, or before the answer, leaves the server as it was", async () => {
  const hall = await townHall();
  const url = await hall.api.listen(0, "127.0.0.1");
  const { authorization } = hall.as("viewer");
  const head = `POST /query?db=vigie HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/x-www-form-urlencoded\r\n`;
  for (const sent of [
    `${head}content-length: 1000\r\n\r\nq=SHOW`,
    `${head}content-length: 16\r\n\r\nq=SHOW+DATABASES`,
  ]) {
    const client = connect(Number(new URL(url).port), "127.0.0.1");
    await new Promise<void>((done) => client.write(sent, () => done()));
    client.resetAndDestroy();
  }
  expect((await fetch(`${url}/ping`)).status).toBe(204);
  expect(hall.logged).toEqual([]);
});

test("what is sent in pieces is put together, and refused as soon as it is too large", async () => {
  const hall = await townHall();
  const url = await hall.api.listen(0, "127.0.0.1");
  const send = (pieces: readonly string[]): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { ...hall.as("operator"), "transfer-encoding": "chunked" };
      const asked = request(`${url}/write?db=vigie`, { method: "POST", headers }, (answer) =>
        resolve(answer.statusCode ?? 0),
      );
      asked.once("error", reject);
      for (const piece of pieces) asked.write(piece);
      asked.end();
    });
  expect(await send([...Array<string>(25).fill("x".repeat(1_000_000)), "x"])).toBe(413);
  // This hall keeps its readings in memory, which takes no lines: it was read in whole.
  expect(await send(["m f=1\n", "m f=2\n", "m f=3"])).toBe(501);
});

test("a server that keeps its readings elsewhere says that it answers no InfluxQL", async () => {
  const hall = await townHall();
  const answer = await ask(hall, "GET", "/query?q=SHOW+DATABASES", { headers: hall.as("viewer") });
  expect(answer.status).toBe(501);
});
