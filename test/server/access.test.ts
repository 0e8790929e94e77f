import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { virtualClock } from "#rehearsal/clock.ts";
import { later, seconds } from "#protocol/units.ts";
import { openAccess } from "#server/access.ts";
import { openState } from "#server/state.ts";
import { MONDAY } from "./village.ts";

function setUp() {
  const clock = virtualClock(MONDAY);
  const state = openState(":memory:", "village");
  const access = openAccess({ state, clock, randomBytes: (size) => randomBytes(size) });
  return { clock, state, access, wait: (time_s: number) => clock.run(later(clock.now(), seconds(time_s))) };
}
const password = "correct horse battery";

test("a link signs in once", () => {
  const { access } = setUp();
  const link = access.signInLink("admin", "administrator");
  const { token, session } = access.redeem(link, "::1");
  expect(session).toMatchObject({ account: "admin", role: "administrator" });
  expect(access.session(token)).toEqual(session);
  expect(() => access.redeem(link, "::1")).toThrow("You are not signed in");
});

test("a link is good for an hour", async () => {
  const { access, wait } = setUp();
  const link = access.signInLink("admin", "administrator");
  await wait(3601);
  expect(() => access.redeem(link, "::1")).toThrow("You are not signed in");
});

test("name and password open a session that ends after twelve hours, or at signing out", async () => {
  const { access, wait } = setUp();
  await access.addAccount("ana", "operator", password);
  const first = await access.signIn("ana", password, "::1");
  const second = await access.signIn("ana", password, "::1");
  access.signOut(first.token);
  expect(access.session(first.token)).toBeUndefined();
  expect(access.session(second.token)?.account).toBe("ana");
  await wait(12 * 3600);
  expect(access.session(second.token)).toBeUndefined();
});

test("a wrong password and an unknown name are the same to the one who tries", async () => {
  const { access } = setUp();
  await access.addAccount("ana", "operator", password);
  await expect(access.signIn("ana", "wrong horse battery", "::1")).rejects.toThrow("You are not signed in");
  await expect(access.signIn("bob", password, "::1")).rejects.toThrow("You are not signed in");
});

test("after ten failures an address waits ten minutes, others do not", async () => {
  const { access, wait } = setUp();
  for (let turn = 0; turn < 10; turn++) expect(() => access.redeem("nonsense", "10.0.0.9")).toThrow("not signed in");
  expect(() => access.redeem("nonsense", "10.0.0.9")).toThrow(
    "Too many failed sign-ins: the limit is 10. Try again in 600 s.",
  );
  expect(() => access.redeem("nonsense", "10.0.0.8")).toThrow("not signed in");
  await wait(600);
  expect(() => access.redeem("nonsense", "10.0.0.9")).toThrow("not signed in");
});

test("neither passwords nor tokens nor keys are kept as they are", async () => {
  const { access, state } = setUp();
  await access.addAccount("ana", "operator", password);
  const { token } = await access.signIn("ana", password, "::1");
  const link = access.signInLink("admin", "administrator");
  const { key } = access.addApiKey("grafana", "viewer", "ana");
  const kept = ["accounts", "sessions", "links", "api_keys"].map((table) =>
    JSON.stringify(state.all(`SELECT * FROM ${table}`)),
  );
  for (const secret of [password, token, link, key]) expect(kept.join()).not.toContain(secret);
});

test("an API key speaks for its role until it is removed", () => {
  const { access } = setUp();
  const { key, id } = access.addApiKey("grafana", "viewer", "ana");
  expect(access.bearer(key)).toEqual({ account: "api-key:grafana", role: "viewer" });
  expect(access.bearer(`${key}x`)).toBeUndefined();
  access.removeApiKey(id);
  expect(access.bearer(key)).toBeUndefined();
});

test("the key of the settings reads from the start, in place of the one before, and is not kept as it is", () => {
  const { access, state } = setUp();
  const [first, second] = ["f".repeat(32), "s".repeat(32)] as const;
  access.setReaderKey(first);
  expect(access.bearer(first)).toEqual({ account: "api-key:reader-key", role: "viewer" });
  expect(JSON.stringify(state.all("SELECT * FROM api_keys"))).not.toContain(first);
  access.setReaderKey(second);
  expect([access.bearer(first), access.bearer(second)?.role]).toEqual([undefined, "viewer"]);
  const { key } = access.addApiKey("grafana", "viewer", "ana");
  access.setReaderKey(undefined);
  expect([access.bearer(second), access.bearer(key)?.role]).toEqual([undefined, "viewer"]);
});

test("a changed role or password ends the sessions of the account", async () => {
  const { access } = setUp();
  await access.addAccount("ana", "operator", password);
  const { token } = await access.signIn("ana", password, "::1");
  await access.changeAccount("ana", { role: "viewer" });
  expect(access.session(token)).toBeUndefined();
  expect((await access.signIn("ana", password, "::1")).session.role).toBe("viewer");
});

test("the last administrator can be neither removed nor demoted", async () => {
  const { access } = setUp();
  await access.addAccount("root", "administrator", password);
  expect(() => access.removeAccount("root")).toThrow(/last administrator/);
  await expect(access.changeAccount("root", { role: "viewer" })).rejects.toThrow(/last administrator/);
  await access.addAccount("second", "administrator", password);
  access.removeAccount("root");
  expect(access.accounts().map(({ name }) => name)).toEqual(["second"]);
});

test("a short password and a name that is taken are refused", async () => {
  const { access } = setUp();
  await expect(access.addAccount("ana", "viewer", "short")).rejects.toThrow(/At password: found 5 characters/);
  await access.addAccount("ana", "viewer", password);
  await expect(access.addAccount("ana", "viewer", password)).rejects.toThrow(/there already/);
});
