import { expect, test } from "vitest";
import { later, seconds } from "#protocol/units.ts";
import { virtualClock } from "#rehearsal/clock.ts";
import { MONDAY } from "../village.ts";
import { townHall } from "./townHall.ts";

const OVERRIDE = {
  scope: { kind: "street", id: "R1" },
  order: { action: "lamp-override", level: 1 },
  reason: "Someone lost a ring here",
};

test("without a session every resource answers 401 as a problem, and says what to do", async () => {
  const hall = await townHall();
  for (const path of [
    "town",
    "now",
    "devices",
    "lamps/levels",
    "decisions",
    "alarms",
    "fleet",
    "events",
    "accounts",
    "session",
  ]) {
    const answer = await hall.get(path, {});
    expect(answer.status, path).toBe(401);
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(answer.body).toMatchObject({
      type: "/api/v1/problems/NOT_SIGNED_IN",
      title: "NOT_SIGNED_IN",
      status: 401,
      instance: `/api/v1/${path}`,
    });
  }
  expect((await hall.get("town", { authorization: "Bearer vigie_guess" })).status).toBe(401);
  expect((await hall.get("town", { cookie: "vigie_session=guess" })).status).toBe(401);
  expect(hall.logged).toEqual([]);
});

test("a viewer reads but does not override; an operator does not change policies", async () => {
  const hall = await townHall();
  const until = hall.clock.now() + 3_600_000;
  const refused = await hall.send("POST", "overrides", { ...OVERRIDE, until }, hall.as("viewer"));
  expect(refused.status).toBe(403);
  expect(refused.body.detail).toBe("This needs the role operator; you have viewer.");
  expect((await hall.send("POST", "overrides", { ...OVERRIDE, until }, hall.as("operator"))).status).toBe(201);
  const policy = { mode: "shadow" };
  expect((await hall.send("PUT", "policies/lighting.programme", policy, hall.as("operator"))).status).toBe(403);
  expect((await hall.send("PUT", "policies/lighting.programme", policy, hall.as("administrator"))).status).toBe(200);
  expect((await hall.get("accounts", hall.as("operator"))).status).toBe(403);
});

test("a problem speaks French to those who prefer it", async () => {
  const hall = await townHall();
  const french = { ...hall.as("viewer"), "accept-language": "de, fr-CA;q=0.8, en;q=0.4" };
  const refused = await hall.send("DELETE", "overrides/1", undefined, french);
  expect(refused.body.detail).toBe("Ceci exige le rôle opérateur ; vous avez lecteur.");
  const missing = await hall.get("devices/L99", french);
  expect(missing.status).toBe(404);
  expect(missing.body.detail).toBe("L’appareil L99 n’existe pas.");
  expect(missing.headers["vary"]).toMatch(/accept-language/i);
});

test("signing in with a password gives a cookie out of reach of scripts, and signing out ends it", async () => {
  const hall = await townHall();
  await hall.server.access.addAccount("ada", "operator", "a long password");
  const wrong = await hall.send("POST", "session", { name: "ada", password: "a wrong password" }, {});
  expect(wrong.status).toBe(401);
  expect(wrong.body.title).toBe("SIGN_IN_REFUSED");

  const signedIn = await hall.send("POST", "session", { name: "ada", password: "a long password" }, {});
  expect(signedIn.status).toBe(201);
  expect(signedIn.body).toMatchObject({ account: "ada", role: "operator", by: "session" });
  const [cookie = "", ...attributes] = String(signedIn.headers["set-cookie"]).split("; ");
  expect(attributes).toEqual(["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"]);

  expect((await hall.get("session", { cookie })).body).toMatchObject({ account: "ada" });
  expect((await hall.get("devices", { cookie })).status).toBe(200);
  expect((await hall.send("DELETE", "session", undefined, { cookie })).status).toBe(204);
  expect((await hall.get("devices", { cookie })).status).toBe(401);
});

test("in a town that runs ahead of its people a session still lasts twelve of their hours", async () => {
  const wall = virtualClock(MONDAY);
  const hall = await townHall({ wall, at: later(MONDAY, seconds(86_400)) });
  const token = hall.server.access.signInLink("first", "administrator");
  const { body, headers } = await hall.send("POST", "session", { token }, {});
  expect(body["expires"]).toBe(later(MONDAY, seconds(43_200)));
  expect(String(headers["set-cookie"])).toContain("Max-Age=43200");
  const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
  expect((await hall.get("devices", { cookie })).status).toBe(200);
  await wall.run(later(MONDAY, seconds(43_200)));
  expect((await hall.get("devices", { cookie })).status).toBe(401);
});

test("a one-time link signs in once", async () => {
  const hall = await townHall();
  const token = hall.server.access.signInLink("first", "administrator");
  expect((await hall.send("POST", "session", { token }, {})).body).toMatchObject({
    account: "first",
    role: "administrator",
  });
  expect((await hall.send("POST", "session", { token }, {})).status).toBe(401);
});

test("a change that comes from another site's page is refused, whatever cookie it carries", async () => {
  const hall = await townHall();
  const token = hall.server.access.signInLink("first", "administrator");
  const { headers } = await hall.send("POST", "session", { token }, {});
  const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
  const from = (more: Record<string, string>) =>
    hall.send("DELETE", "session", undefined, { cookie, host: "vigie.town", ...more });
  expect((await from({ "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect((await from({ "sec-fetch-site": "same-site" })).body.title).toBe("OTHER_ORIGIN");
  expect((await from({ origin: "https://elsewhere.example" })).status).toBe(403);
  expect((await from({ origin: "https://vigie.town" })).status).toBe(204);
});

test("a body with wrong fields names each of them, and never says a password back", async () => {
  const hall = await townHall();
  const wrong = {
    scope: { kind: "planet", id: "R1" },
    order: { action: "lamp-override", level: 3 },
    reason: "",
    until: 1,
  };
  const answer = await hall.send("POST", "overrides", wrong);
  expect(answer.status).toBe(400);
  expect(answer.body.title).toBe("PAYLOAD_INVALID");
  const fields = Object.fromEntries(
    answer.body.fields.map((field: { path: string; problem: string }) => [field.path, field.problem]),
  );
  expect(fields).toEqual({
    "scope.kind": "Expected one of device, group, street, zone.",
    "order.level": "Expected at most 1.",
    reason: "Expected at least 1 characters.",
  });
  const unknown = { scope: { kind: "street", id: "R1" }, order: { action: "sing" }, reason: "a song", until: 1 };
  expect((await hall.send("POST", "overrides", unknown)).body.fields).toEqual([
    { path: "order.action", problem: "Expected one of lamp-override, signal-override." },
  ]);
  const strange = await hall.send(
    "PUT",
    "policies/traffic.frame",
    { mode: "shadow", colour: 1 },
    hall.as("administrator"),
  );
  expect(strange.body.fields).toEqual([{ path: "colour", problem: "Expected no such field." }]);
  expect(strange.body.detail).toBe("At colour: found 1, expected no such field.");
  const missing = await hall.send("POST", "overrides", {});
  expect(missing.body.fields.map((field: { path: string }) => field.path)).toEqual([
    "scope",
    "order",
    "reason",
    "until",
  ]);
  const secret = await hall.send("POST", "session", { name: "ada", password: 12345678 }, {});
  expect(secret.text).not.toContain("12345678");
  const account = { name: "a b", role: "king", password: "short-pw1" };
  const french = { ...hall.as("administrator"), "accept-language": "fr" };
  const refused = await hall.send("POST", "accounts", account, french);
  expect(refused.text).not.toContain("short-pw1");
  expect(refused.body.fields).toContainEqual({
    path: "role",
    problem: "Attendu : l’un de viewer, operator, administrator.",
  });
});

const status = async (answer: Promise<{ status: number; body: { title: string } }>): Promise<string> => {
  const { status, body } = await answer;
  return `${status} ${body.title}`;
};

test("what is no JSON, too large, of another type or at no address is a problem with its own status", async () => {
  const hall = await townHall();
  expect(await status(hall.send("POST", "overrides", "{no json"))).toBe("400 PAYLOAD_UNREADABLE");
  expect(await status(hall.send("POST", "overrides", { reason: "x".repeat(70_000) }))).toBe("413 PAYLOAD_TOO_LARGE");
  const text = await hall.api.app.inject({
    method: "POST",
    url: "/api/v1/overrides",
    headers: { ...hall.as("operator"), "content-type": "text/plain" },
    payload: "hello",
  });
  expect(`${text.statusCode} ${text.json().title}`).toBe("415 MEDIA_UNKNOWN");
  expect(await status(hall.get("nowhere"))).toBe("404 NOT_FOUND");
  expect(await status(hall.send("POST", "devices", {}))).toBe("404 NOT_FOUND");
  expect(await status(hall.get("devices?limit=0"))).toBe("400 PAYLOAD_INVALID");
  expect(await status(hall.get("devices?cursor=guess"))).toBe("400 PAYLOAD_INVALID");
  expect(hall.logged).toEqual([]);
});

test("one address is slowed down at its limit, and told when to try again", async () => {
  const hall = await townHall({ limits: { requestsAMinute: 5 } });
  for (let request = 0; request < 5; request++) expect((await hall.get("devices")).status).toBe(200);
  const slowed = await hall.get("devices");
  expect(slowed.status).toBe(429);
  expect(slowed.body).toMatchObject({ title: "TOO_MANY", facts: { thing: "requests", limit: 5 } });
  expect(Number(slowed.headers["retry-after"])).toBeGreaterThan(0);
});

test("while history is laid down the town and its progress can be seen, and data says when to come back", async () => {
  const hall = await townHall({ ready: false });
  hall.api.progress(0.4);
  expect((await hall.get("now", {})).body).toMatchObject({ state: "preparing", progress: 0.4 });
  expect((await hall.get("town", {})).status).toBe(200);
  const early = await hall.get("devices", {});
  expect(early.status).toBe(503);
  expect(early.body).toMatchObject({ title: "NOT_READY", detail: "The server is preparing; try again in 2 s." });
  expect(early.headers["retry-after"]).toBe("2");
  expect((await hall.get("/healthz", {})).status).toBe(200);
  expect((await hall.get("/readyz", {})).status).toBe(503);
  hall.api.admit(hall.server.access);
  expect((await hall.get("town", {})).status).toBe(401);
  expect((await hall.get("now")).body).toMatchObject({ state: "preparing" });
  expect((await hall.get("devices")).status).toBe(503);
  hall.api.ready(hall.server);
  expect((await hall.get("now")).body).toMatchObject({ state: "ready", progress: 1 });
  expect((await hall.get("devices")).status).toBe(200);
  expect((await hall.get("/readyz", {})).status).toBe(200);
});

test("a port that another program has is named, with the option that chooses another", async () => {
  const [first, second] = [await townHall(), await townHall()];
  const port = Number(new URL(await first.api.listen(0, "127.0.0.1")).port);
  await expect(second.api.listen(port, "127.0.0.1")).rejects.toThrow(
    `Port ${port} is already in use on 127.0.0.1. Stop the other program or choose another with --port.`,
  );
});

test("answers carry headers that keep other sites away from them", async () => {
  const hall = await townHall();
  const { headers } = await hall.get("now");
  expect(headers).toMatchObject({
    "content-security-policy": "default-src 'none';frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  expect(headers["access-control-allow-origin"]).toBeUndefined();
});
