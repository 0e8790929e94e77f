import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { isStationPassword, stationPassword } from "#server/credentials.ts";

const secret = new Uint8Array(32).fill(7);

test("a station's password is the HMAC-SHA-256 of its name under the secret, 43 letters of base64url", () => {
  const expected = createHmac("sha256", secret).update("station:pole-1").digest("base64url");
  expect(stationPassword(secret, "pole-1")).toBe(expected);
  expect(expected).toMatch(/^[\w-]{43}$/);
});

test("only a station's own password under this secret is right", () => {
  const right = stationPassword(secret, "pole-1");
  expect(isStationPassword(secret, "pole-1", right)).toBe(true);
  const others = [
    "",
    right.slice(1),
    `${right}A`,
    right.toUpperCase(),
    stationPassword(secret, "pole-2"),
    stationPassword(new Uint8Array(32), "pole-1"),
    // As many letters, more bytes.
    "é".repeat(43),
  ];
  for (const wrong of others) expect(isStationPassword(secret, "pole-1", wrong), wrong).toBe(false);
});
