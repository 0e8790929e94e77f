import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { instant } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { Question } from "#server/api/influx/question.ts";

const START = instant(Date.UTC(2026, 2, 2));
const LIMITS = { points: 0, series: 0, buckets: 0, time_ms: 30_000 };
const server = createServer();
afterEach(() => new Promise((done) => server.close(done)));

/** A question that a client has asked over a connection, which waits for its answer. */
async function asked(clock = virtualClock(START)) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("GET /query HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  const question = new Question({ database: "vigie", now_ns: 0n, limits: LIMITS }, response, clock);
  return { client, response, question, clock };
}
const later = (ms: number) => instant(START + ms);

test("a question whose client goes away is interrupted", async () => {
  const { client, question } = await asked();
  const { signal } = question;
  expect(signal.aborted).toBe(false);
  client.destroy();
  await once(signal, "abort");
  expect(String(signal.reason)).toContain("AbortError");
});

test("a question whose client went away before anybody listened is interrupted, too", async () => {
  const { client, response, question } = await asked();
  client.destroy();
  await once(response, "close");
  expect(question.signal.aborted).toBe(true);
});

test("a question that was answered is not interrupted", async () => {
  const { response, question } = await asked();
  const { signal } = question;
  response.end("{}");
  await once(response, "close");
  expect(signal.aborted).toBe(false);
});

test("a question's time runs from when it was asked, also while nobody listens", async () => {
  const { client, question, clock } = await asked();
  await clock.run(later(20_000));
  const { signal } = question;
  await clock.run(later(29_999));
  expect(signal.aborted).toBe(false);
  await clock.run(later(30_001));
  expect(signal.reason).toMatchObject({ status: 500, message: "query timeout: it took more than 30000 ms" });
  client.destroy();
});

test("a question whose time was over before anybody listened is over", async () => {
  const { client, question, clock } = await asked();
  await clock.run(later(31_000));
  expect(question.signal.aborted).toBe(true);
  client.destroy();
});

test("a question that has ended keeps no clock", async () => {
  const { client, question, clock } = await asked();
  const { signal } = question;
  question.end();
  await clock.run(later(31_000));
  expect(signal.aborted).toBe(false);
  client.destroy();
});
