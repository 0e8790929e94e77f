import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIn, type Built } from "./dockerfile.ts";

const root = join(import.meta.dirname, "../..");
let place: string;
let built: Built;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "vigie-image-"));
  built = buildIn(place, root);
}, 300_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

test("the Dockerfile's steps leave what runs and nothing else: no development packages, no tests, not as root", () => {
  expect(existsSync(join(built.workdir, "node_modules/fastify"))).toBe(true);
  for (const name of ["node_modules/vitest", "node_modules/typescript", "test", "dashboards", ".git"]) {
    expect(existsSync(join(built.workdir, name)), name).toBe(false);
  }
  expect(built.user).toBe("nonroot");
});

test("started as the image starts it, it becomes healthy by the image's own check, and stops when told", async () => {
  const environment = {
    ...process.env,
    ...built.env,
    VIGIE_DATA: join(built.directory, built.env["VIGIE_DATA"] ?? "data"),
    VIGIE_HOST: "127.0.0.1",
    VIGIE_PORT: String(20_000 + (process.pid % 20_000)),
    VIGIE_MQTT_PORT: "0",
    VIGIE_HISTORY: "0",
  };
  const [command, ...rest] = built.command as [string, ...string[]];
  const server = spawn(command, rest, { cwd: built.workdir, env: environment, stdio: "ignore" });
  const over = new Promise<number | null>((resolve) => server.once("exit", resolve));
  try {
    const [check, ...words] = built.healthCheck as [string, ...string[]];
    const healthy = (): boolean => spawnSync(check, words, { cwd: built.workdir, env: environment }).status === 0;
    expect(healthy()).toBe(false);
    for (let attempt = 0; !healthy() && attempt < 120; attempt++) {
      expect(server.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(healthy()).toBe(true);
  } finally {
    server.kill("SIGTERM");
  }
  expect(await over).toBe(0);
}, 120_000);
