import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A real InfluxDB 1.8 with Flux, in a directory of its own. */
export interface Influxd {
  readonly url: string;
  readonly pid: number;
  readonly directory: string;
  /** As `kill -9` and as an operator who starts it again: same ports, same data. */
  kill(): Promise<void>;
  start(limits?: Limits): Promise<void>;
  /** Kills it and removes its data. */
  stop(): Promise<void>;
}

interface Limits {
  /** The largest file that it can write, in place of a disk that is full. */
  readonly largestFile_kB?: number | undefined;
}

/** Where influxd may be: VIGIE_INFLUXD, the PATH, or where `go install` puts it. */
export const influxdPath = [
  process.env["VIGIE_INFLUXD"],
  ...(process.env["PATH"] ?? "").split(delimiter).map((directory) => join(directory, "influxd")),
  join(process.env["GOPATH"] ?? join(homedir(), "go"), "bin/influxd"),
].find((path) => path !== undefined && existsSync(path));

if (influxdPath === undefined) {
  console.warn(
    "Tests against a real InfluxDB are skipped: no influxd was found. Install it with: go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10",
  );
}

type Wanted = Limits & { readonly auth?: boolean; readonly flux?: boolean };

/** Somebody else may take a port between our finding it free and the server's listening at it. */
const ATTEMPTS = 5;

export async function startInfluxd(wanted: Wanted = {}): Promise<Influxd> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await freePort(), await freePort(), wanted);
    } catch (problem) {
      if (attempt === ATTEMPTS) throw problem;
    }
  }
}

async function startOn(rpc: number, http: number, settings: Wanted): Promise<Influxd> {
  const directory = mkdtempSync(join(tmpdir(), "vigie-influxd-"));
  const config = join(directory, "influxd.conf");
  writeFileSync(config, configuration(directory, rpc, http, settings.auth === true, settings.flux !== false));
  const url = `http://127.0.0.1:${http}`;
  let running: ChildProcess | undefined;
  const influxd = {
    url,
    directory,
    get pid() {
      return running?.pid ?? 0;
    },
    async start({ largestFile_kB }: Limits = settings) {
      const limit = largestFile_kB === undefined ? "" : `ulimit -f ${largestFile_kB}; `;
      const command = `${limit}exec "$0" run -config "$1"`;
      running = spawn("bash", ["-c", command, influxdPath as string, config], { stdio: "ignore" });
      while (!(await answers(url))) {
        if (running.exitCode !== null) throw new Error(`influxd ended with ${running.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async kill() {
      const child = running;
      running = undefined;
      if (child === undefined || child.exitCode !== null) return;
      await new Promise((resolve) => {
        child.once("exit", resolve);
        child.kill("SIGKILL");
      });
    },
    async stop() {
      await influxd.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await influxd.start().catch(async (problem: unknown) => {
    await influxd.stop();
    throw problem;
  });
  return influxd;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`)).status === 204;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}

const configuration = (directory: string, rpc: number, http: number, auth: boolean, flux: boolean): string => `
reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${join(directory, "meta")}"
  logging-enabled = false
[data]
  dir = "${join(directory, "data")}"
  wal-dir = "${join(directory, "wal")}"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${http}"
  flux-enabled = ${flux}
  auth-enabled = ${auth}
  log-enabled = false
[logging]
  level = "error"
`;
