import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "#protocol/faults.ts";
import type { Instant } from "#protocol/units.ts";
import { settled } from "./store/archive.ts";

/** What a backup holds, written last: a directory without it is no backup. */
export interface Manifest {
  readonly format: number;
  /** The version of Vigie that wrote it. */
  readonly version: string;
  readonly at: Instant;
  /** Kept in an InfluxDB, which has a backup of its own. */
  readonly readingsElsewhere: boolean;
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  /** Below the directory, with `/`. */
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export const MANIFEST = "manifest.json";
/** What is copied as it stands: what else there is belongs to one process, or is made anew. */
const PLAIN = ["territory.geojson", "format", "clock", "history", "keys", "town", "readings"];
const STATE = "state.sqlite";

/**
 * Writes a data directory into another one: the state as of one moment while a server may write to it, the readings by
 * `readings`, which may take them from a server that runs. Resolves to what was written; raises the faults of the disk,
 * and DIRECTORY_NOT_EMPTY.
 */
export async function backUp(order: {
  readonly from: string;
  readonly to: string;
  readonly version: string;
  readonly format: number;
  readonly at: Instant;
  /** False when there are none below the directory. */
  readings(to: string, progress: (share: number) => void): Promise<boolean>;
  progress(share: number): void;
}): Promise<Manifest> {
  const { from, to, version, format, at } = order;
  emptyDirectory(to);
  for (const name of PLAIN) await copyPlain(join(from, name), join(to, name));
  if (existsSync(join(from, STATE))) await copyState(join(from, STATE), join(to, STATE));
  order.progress(STATE_SHARE);
  const has = await order.readings(to, (share) => order.progress(STATE_SHARE + share * READINGS_SHARE));
  const names = filesBelow(to);
  const files: ManifestFile[] = [];
  for (const name of names) {
    files.push(await described(to, name));
    order.progress(STATE_SHARE + READINGS_SHARE + (files.length / names.length) * (1 - STATE_SHARE - READINGS_SHARE));
  }
  const manifest = { format, version, at, readingsElsewhere: !has && !existsSync(join(to, "readings")), files };
  writeFileSync(join(to, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await settled(join(to, MANIFEST), to);
  return manifest;
}

const STATE_SHARE = 0.2;
const READINGS_SHARE = 0.5;

/**
 * Lays a backup down as a new data directory, after every file of it was compared with its sum.
 * Raises Fault BACKUP_DAMAGED with the first file that is wrong, DATA_NEWER or DIRECTORY_NOT_EMPTY; then nothing was written.
 */
export async function restore(order: {
  readonly from: string;
  readonly to: string;
  readonly format: number;
  progress(share: number): void;
}): Promise<Manifest> {
  const { from, to, format } = order;
  const manifest = manifestIn(from);
  if (manifest.format > format)
    throw new Fault("DATA_NEWER", { directory: from, found: manifest.format, known: format });
  const total = Math.max(
    1,
    manifest.files.reduce((sum, { size }) => sum + size, 0),
  );
  let done = 0;
  const passed = (size: number): void => {
    done += size;
    order.progress(done / (2 * total));
  };
  for (const file of manifest.files) {
    await compare(from, file);
    passed(file.size);
  }
  emptyDirectory(to);
  for (const { name, size } of manifest.files) {
    await copyPlain(join(from, name), join(to, name));
    passed(size);
  }
  return manifest;
}

function manifestIn(directory: string): Manifest {
  let text: string;
  try {
    text = readFileSync(join(directory, MANIFEST), "utf8");
  } catch {
    throw new Fault("FILE_MISSING", { file: join(directory, MANIFEST) });
  }
  const damaged = (problem: string): Fault => new Fault("BACKUP_DAMAGED", { file: MANIFEST, directory, problem });
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(text) as Partial<Manifest>;
  } catch (problem) {
    throw damaged((problem as Error).message);
  }
  const { format, files } = manifest;
  if (typeof format !== "number" || !Array.isArray(files)) throw damaged("it is no manifest");
  for (const { name } of files as Partial<ManifestFile>[]) {
    if (typeof name !== "string" || name === "" || name.split("/").includes("..") || name.startsWith("/")) {
      throw damaged("it names a file outside the backup");
    }
  }
  return manifest as Manifest;
}

async function compare(directory: string, { name, size, sha256 }: ManifestFile): Promise<void> {
  const problem = (text: string): Fault => new Fault("BACKUP_DAMAGED", { file: name, directory, problem: text });
  const found = statSync(join(directory, name), { throwIfNoEntry: false });
  if (found === undefined) throw problem("it is missing");
  if (found.size !== size) throw problem(`it has ${found.size} bytes, not ${size}`);
  if ((await sumOf(join(directory, name))) !== sha256) throw problem("its SHA-256 differs");
}

async function described(directory: string, name: string): Promise<ManifestFile> {
  const file = join(directory, name);
  return { name, size: statSync(file).size, sha256: await sumOf(file) };
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/** From another connection, and so beside a server that writes: SQLite's log gives each reader one moment. */
async function copyState(from: string, to: string): Promise<void> {
  const database = new DatabaseSync(from, { readOnly: false });
  try {
    database.exec("PRAGMA busy_timeout = 10000");
    database.prepare("VACUUM INTO ?").run(to);
  } finally {
    database.close();
  }
  await settled(to, dirname(to));
}

async function copyPlain(from: string, to: string): Promise<void> {
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) return;
  mkdirSync(found.isDirectory() ? to : dirname(to), { recursive: true });
  if (!found.isDirectory()) {
    copyFileSync(from, to);
    await settled(to, dirname(to));
    return;
  }
  for (const name of readdirSync(from)) await copyPlain(join(from, name), join(to, name));
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(directory.length + 1))
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
}

function emptyDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
  } catch (problem) {
    throw new Fault("DIRECTORY_UNWRITABLE", { directory, problem: (problem as Error).message });
  }
  if (readdirSync(directory).length > 0) throw new Fault("DIRECTORY_NOT_EMPTY", { directory });
}

/** Shows to a server that whoever asks can read its secret, and so may have what lies beside it. */
export function proofOf(secret: Uint8Array, to: string, at: Instant): string {
  return createHmac("sha256", secret).update(`backup\n${to}\n${at}`).digest("base64url");
}

/** A proof is good for so long: nobody shall use one that he found. */
const PROOF_MS = 60_000;

export function isProof(secret: Uint8Array, given: { to: string; at: Instant; proof: string }, now: Instant): boolean {
  const [wanted, found] = [Buffer.from(proofOf(secret, given.to, given.at)), Buffer.from(given.proof)];
  return Math.abs(now - given.at) <= PROOF_MS && wanted.length === found.length && timingSafeEqual(wanted, found);
}
