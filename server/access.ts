import { createHash, scrypt, timingSafeEqual } from "node:crypto";
import { Fault } from "#protocol/faults.ts";
import type { Clock } from "#protocol/ports.ts";
import type { Instant } from "#protocol/units.ts";
import { HOUR, MINUTE } from "#protocol/units.ts";
import type { Row, State } from "./state.ts";

/** A viewer reads, an operator overrides and works on alarms, an administrator changes policies and accounts. */
export const ROLES = ["viewer", "operator", "administrator"] as const;
export type Role = (typeof ROLES)[number];

export interface Person {
  readonly account: string;
  readonly role: Role;
}
export interface Session extends Person {
  readonly expires: Instant;
}
export interface Account {
  readonly name: string;
  readonly role: Role;
  readonly created: Instant;
}
export interface ApiKey {
  readonly id: number;
  readonly label: string;
  readonly role: Role;
  readonly created: Instant;
  readonly createdBy: string;
}

export interface Access {
  /** A link's token (for `/sign-in#token`), good once and for an hour. */
  signInLink(account: string, role: Role): string;
  /** Raises Fault NOT_SIGNED_IN (unknown, used or too old), TOO_MANY. `from` is the address that tries. */
  redeem(token: string, from: string): { readonly token: string; readonly session: Session };
  /** Raises Fault NOT_SIGNED_IN (name or password wrong: it does not say which), TOO_MANY. */
  signIn(name: string, password: string, from: string): Promise<{ readonly token: string; readonly session: Session }>;
  /**
   * Who this name and password belong to, without a session: for callers that show both with each request. undefined: nobody.
   * Raises Fault TOO_MANY.
   */
  verify(name: string, password: string, from: string): Promise<Person | undefined>;
  /** Who this cookie belongs to; undefined: nobody, or no longer. */
  session(token: string): Session | undefined;
  signOut(token: string): void;
  accounts(): Account[];
  /** Raises Fault CONFLICT (the name is taken), PAYLOAD_INVALID, TOO_MANY. */
  addAccount(name: string, role: Role, password: string): Promise<Account>;
  /** Ends the sessions of the account. Raises Fault NOT_FOUND, CONFLICT (the last administrator). */
  changeAccount(name: string, change: { readonly role?: Role; readonly password?: string }): Promise<Account>;
  removeAccount(name: string): void;
  apiKeys(): ApiKey[];
  /** The key is said once; what is kept is its hash. */
  addApiKey(label: string, role: Role, by: string): ApiKey & { readonly key: string };
  removeApiKey(id: number): void;
  /** Makes this the one key that the settings give, a viewer's, in place of what they gave before; undefined: none. */
  setReaderKey(key: string | undefined): void;
  /** Who an API key speaks for. */
  bearer(key: string): Person | undefined;
  stats(): { readonly sessions: number; readonly failures: number };
}

export interface AccessOptions {
  readonly state: State;
  /** The time of the people who sign in: real, however fast the town's passes; virtual in a rehearsal. */
  readonly clock: Clock;
  /** Bytes that nobody can foresee. */
  readonly randomBytes: (size: number) => Uint8Array;
}

const SESSION_MS = 12 * HOUR;
const LINK_MS = HOUR;
/** After this many failures an address waits until the first of them is this old. */
const FAILURES = { most: 10, within_ms: 10 * MINUTE, addresses: 10_000 } as const;
/** OWASP's parameters for scrypt: 32 MiB a hash, so few run at once. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 } as const;
const HASHES_AT_ONCE = 2;
const HASHES_WAITING = 20;
/** A name and password that went together go together for so long, unless an account is changed. */
const VERIFIED = { most: 1000, for_ms: MINUTE } as const;
const LIMITS = { accounts: 1000, apiKeys: 200, sessionsOfOne: 20 } as const;
/** Who is said to have made the key that the settings give. */
const SETTINGS = "the setting reader-key";
const PASSWORD = { least: 10, most: 200 } as const;

export function openAccess({ state, clock, randomBytes }: AccessOptions): Access {
  const failures = new Map<string, number[]>();
  /** By the API key, until any key changes: a dashboard shows the same one many times a second. */
  const bearers = new Map<string, Person>();
  /** By the hash of name and password: a hash a request would be most of the work of answering it. */
  const verified = new Map<string, { readonly person: Person; readonly until: number }>();
  let failed = 0;
  const hashing = limiter(HASHES_AT_ONCE, HASHES_WAITING);

  const token = (bytes = 32): string => Buffer.from(randomBytes(bytes)).toString("base64url");

  const open = (account: string, role: Role): { token: string; session: Session } => {
    const secret = token();
    const now = clock.now();
    const expires = (now + SESSION_MS) as Instant;
    state.transaction(() => {
      state.run("DELETE FROM sessions WHERE expires_at <= ?", now);
      state.run(
        "DELETE FROM sessions WHERE account = ?1 AND hash NOT IN (SELECT hash FROM sessions WHERE account = ?1 ORDER BY created_at DESC LIMIT ?2)",
        account,
        LIMITS.sessionsOfOne - 1,
      );
      state.run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", digest(secret), account, role, now, expires);
    });
    return { token: secret, session: { account, role, expires } };
  };

  const refuseBusy = (from: string): void => {
    const recent = (failures.get(from) ?? []).filter((at) => clock.now() - at < FAILURES.within_ms);
    if (recent.length === 0) failures.delete(from);
    else failures.set(from, recent);
    const first = recent[0];
    if (first === undefined || recent.length < FAILURES.most) return;
    const retry_s = Math.ceil((first + FAILURES.within_ms - clock.now()) / 1000);
    throw new Fault("TOO_MANY", { thing: "failed sign-ins", limit: FAILURES.most, retry_s });
  };

  let changes = 0;
  const forget = (): void => {
    changes++;
    verified.clear();
  };

  /** The role behind a name and password; undefined where they do not go together. */
  const roleOf = async (name: string, password: string): Promise<Role | undefined> => {
    const row = state.get("SELECT * FROM accounts WHERE name = ?", name);
    // An unknown name costs the same time as a wrong password, so that names cannot be found by the clock.
    const salt = (row?.["salt"] ?? Buffer.alloc(16)) as Uint8Array;
    const hash = await hashing(() => scryptHash(password, salt));
    return row !== undefined && timingSafeEqual(hash, row["hash"] as Uint8Array) ? (row["role"] as Role) : undefined;
  };

  const note = (from: string): void => {
    failed++;
    // At the limit the oldest address is forgotten: memory stays bounded, and one address alone cannot reach it.
    if (!failures.has(from) && failures.size >= FAILURES.addresses)
      failures.delete(failures.keys().next().value as string);
    failures.set(from, [...(failures.get(from) ?? []), clock.now()]);
  };

  const fail = (from: string): never => {
    note(from);
    throw new Fault("NOT_SIGNED_IN", {});
  };

  const find = (name: string): Row => {
    const row = state.get("SELECT * FROM accounts WHERE name = ?", name);
    if (row === undefined) throw new Fault("NOT_FOUND", { thing: "account", id: name });
    return row;
  };

  const keepOneAdministrator = (name: string): void => {
    const others = state.get("SELECT count(*) AS n FROM accounts WHERE role = 'administrator' AND name <> ?", name)?.[
      "n"
    ];
    if (others === 0)
      throw new Fault("CONFLICT", { thing: "account", id: name, action: "removed", state: "the last administrator" });
  };

  return {
    signInLink(account, role) {
      // 128 bits, good once and for an hour: out of anybody's reach, and the link fits a line of a terminal.
      const secret = token(16);
      const now = clock.now();
      state.run("DELETE FROM links WHERE expires_at <= ?", now);
      state.run("INSERT INTO links VALUES (?, ?, ?, ?)", digest(secret), account, role, now + LINK_MS);
      return secret;
    },
    redeem(secret, from) {
      refuseBusy(from);
      const row = state.get("DELETE FROM links WHERE hash = ? RETURNING *", digest(secret));
      if (row === undefined || Number(row["expires_at"]) <= clock.now()) return fail(from);
      return open(String(row["account"]), row["role"] as Role);
    },
    async signIn(name, password, from) {
      refuseBusy(from);
      const role = await roleOf(name, password);
      if (role === undefined) return fail(from);
      failures.delete(from);
      return open(name, role);
    },
    async verify(name, password, from) {
      const key = digest(`${name}\0${password}`);
      const known = verified.get(key);
      if (known !== undefined && clock.now() < known.until) return known.person;
      refuseBusy(from);
      const asOf = changes;
      const role = await roleOf(name, password);
      if (role === undefined) {
        note(from);
        return undefined;
      }
      const person = { account: name, role };
      // What was changed meanwhile is not remembered as it was.
      if (asOf !== changes) return person;
      if (verified.size >= VERIFIED.most) verified.delete(verified.keys().next().value as string);
      verified.set(key, { person, until: clock.now() + VERIFIED.for_ms });
      return person;
    },
    session(secret) {
      const row = state.get("SELECT * FROM sessions WHERE hash = ?", digest(secret));
      if (row === undefined || Number(row["expires_at"]) <= clock.now()) return undefined;
      return { account: String(row["account"]), role: row["role"] as Role, expires: row["expires_at"] as Instant };
    },
    signOut(secret) {
      state.run("DELETE FROM sessions WHERE hash = ?", digest(secret));
    },
    accounts: () => state.all("SELECT * FROM accounts ORDER BY name").map(accountOf),
    async addAccount(name, role, password) {
      checkPassword(password);
      const taken = () =>
        new Fault("CONFLICT", { thing: "account", id: name, action: "added", state: "there already" });
      if (state.get("SELECT 1 AS one FROM accounts WHERE name = ?", name) !== undefined) throw taken();
      const count = Number(state.get("SELECT count(*) AS n FROM accounts")?.["n"]);
      if (count >= LIMITS.accounts)
        throw new Fault("TOO_MANY", { thing: "accounts", limit: LIMITS.accounts, retry_s: 60 });
      const salt = randomBytes(16);
      const hash = await hashing(() => scryptHash(password, salt));
      const created = clock.now();
      const added = state.get(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING name",
        name,
        role,
        salt,
        hash,
        created,
      );
      if (added === undefined) throw taken();
      return { name, role, created };
    },
    async changeAccount(name, { role, password }) {
      const row = find(name);
      if (role !== undefined && role !== "administrator" && row["role"] === "administrator") keepOneAdministrator(name);
      if (password !== undefined) {
        checkPassword(password);
        const salt = randomBytes(16);
        const hash = await hashing(() => scryptHash(password, salt));
        state.run("UPDATE accounts SET salt = ?, hash = ? WHERE name = ?", salt, hash, name);
      }
      if (role !== undefined) state.run("UPDATE accounts SET role = ? WHERE name = ?", role, name);
      state.run("DELETE FROM sessions WHERE account = ?", name);
      forget();
      return accountOf(find(name));
    },
    removeAccount(name) {
      if (find(name)["role"] === "administrator") keepOneAdministrator(name);
      state.run("DELETE FROM accounts WHERE name = ?", name);
      forget();
      state.run("DELETE FROM sessions WHERE account = ?", name);
    },
    apiKeys: () => state.all("SELECT * FROM api_keys ORDER BY id").map(apiKeyOf),
    addApiKey(label, role, by) {
      const count = Number(state.get("SELECT count(*) AS n FROM api_keys")?.["n"]);
      if (count >= LIMITS.apiKeys)
        throw new Fault("TOO_MANY", { thing: "API keys", limit: LIMITS.apiKeys, retry_s: 60 });
      const key = `vigie_${token()}`;
      const row = state.get(
        "INSERT INTO api_keys(name, role, hash, created_at, created_by) VALUES (?, ?, ?, ?, ?) RETURNING *",
        label,
        role,
        digest(key),
        clock.now(),
        by,
      );
      return { ...apiKeyOf(row as Row), key };
    },
    removeApiKey(id) {
      const row = state.get("DELETE FROM api_keys WHERE id = ? RETURNING id", id);
      bearers.clear();
      if (row === undefined) throw new Fault("NOT_FOUND", { thing: "API key", id });
    },
    setReaderKey(key) {
      bearers.clear();
      state.transaction(() => {
        state.run("DELETE FROM api_keys WHERE created_by = ?", SETTINGS);
        if (key === undefined) return;
        state.run(
          "INSERT OR IGNORE INTO api_keys(name, role, hash, created_at, created_by) VALUES (?, 'viewer', ?, ?, ?)",
          "reader-key",
          digest(key),
          clock.now(),
          SETTINGS,
        );
      });
    },
    bearer(key) {
      const known = bearers.get(key);
      if (known !== undefined) return known;
      const row = state.get("SELECT * FROM api_keys WHERE hash = ?", digest(key));
      if (row === undefined) return undefined;
      const person = { account: `api-key:${String(row["name"])}`, role: row["role"] as Role };
      bearers.set(key, person);
      return person;
    },
    stats() {
      const now = clock.now();
      return {
        sessions: Number(state.get("SELECT count(*) AS n FROM sessions WHERE expires_at > ?", now)?.["n"]),
        failures: failed,
      };
    },
  };
}

/** Tokens are long and random, so a plain hash hides them; passwords are neither, and take scrypt. */
const digest = (secret: string): string => createHash("sha256").update(secret).digest("base64url");

function scryptHash(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, 32, SCRYPT, (problem, hash) =>
      problem ? reject(problem) : resolve(hash),
    );
  });
}

/** Runs at most `most` at once, holds `waiting` more, and refuses the rest with Fault TOO_MANY. */
function limiter(most: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (running >= most) {
      if (queue.length >= waiting)
        throw new Fault("TOO_MANY", { thing: "sign-ins at once", limit: most + waiting, retry_s: 5 });
      await new Promise<void>((resolve) => queue.push(resolve));
    }
    running++;
    try {
      return await work();
    } finally {
      running--;
      queue.shift()?.();
    }
  };
}

function checkPassword(password: string): void {
  if (password.length >= PASSWORD.least && password.length <= PASSWORD.most) return;
  const expected = `${PASSWORD.least} to ${PASSWORD.most} characters`;
  throw new Fault("PAYLOAD_INVALID", { path: "password", found: `${password.length} characters`, expected });
}

const accountOf = (row: Row): Account => ({
  name: String(row["name"]),
  role: row["role"] as Role,
  created: row["created_at"] as Instant,
});

const apiKeyOf = (row: Row): ApiKey => ({
  id: Number(row["id"]),
  label: String(row["name"]),
  role: row["role"] as Role,
  created: row["created_at"] as Instant,
  createdBy: String(row["created_by"]),
});
