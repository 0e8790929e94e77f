import type { Dimension, Expression, Refused, Select } from "./ast.ts";
import { condition, measurement } from "./clauses.ts";

import { durationOf, durationText } from "./duration.ts";
import { refusal, type Words } from "./lexer.ts";

type Inner = (words: Words, into?: "may" | "must") => Select;
type Reader = (words: Words, select: Inner) => { readonly database?: string };
type Tree = { readonly [word: string]: Tree | Reader };

/**
 * What writes or administers: read to its end, so that a mistake in it is named as InfluxDB names it, and kept as its first
 * words. `first` is read already.
 */
export function refused(words: Words, first: keyof typeof TREE, select: Inner): Refused {
  const path: string[] = [first];
  let tree: Tree | Reader = TREE[first];
  while (typeof tree !== "function") {
    const token = words.next();
    const branch: Tree | Reader | undefined = Object.hasOwn(tree, token.kind) ? tree[token.kind] : undefined;
    if (branch === undefined) throw words.unexpected(token, Object.keys(tree));
    path.push(token.kind);
    tree = branch;
  }
  return { kind: "refused", what: path.join(" "), ...tree(words, select) };
}

const TREE = {
  DELETE: fromOrWhere,
  CREATE: {
    CONTINUOUS: { QUERY: continuousQuery },
    DATABASE: createDatabase,
    USER: createUser,
    RETENTION: { POLICY: createPolicy },
    SUBSCRIPTION(words) {
      const database = policyOfSubscription(words);
      words.expect("DESTINATIONS");
      oneOf(words, ["ALL", "ANY"]);
      do words.text("STRING", "string");
      while (words.takes(","));
      return { database };
    },
  },
  DROP: {
    CONTINUOUS: { QUERY: nameOnDatabase },
    DATABASE: (words) => ({ database: words.name() }),
    MEASUREMENT: named,
    RETENTION: { POLICY: nameOnDatabase },
    SERIES: fromOrWhere,
    SHARD: wholeNumber,
    SUBSCRIPTION: (words) => ({ database: policyOfSubscription(words) }),
    USER: named,
  },
  EXPLAIN(words, select) {
    words.takes("ANALYZE");
    words.expect("SELECT");
    select(words);
    return {};
  },
  GRANT: (words) => privilege(words, "TO"),
  REVOKE: (words) => privilege(words, "FROM"),
  ALTER: { RETENTION: { POLICY: alterPolicy } },
  SET: {
    PASSWORD: {
      FOR(words) {
        words.name();
        words.expect("=");
        words.text("STRING", "string");
        return {};
      },
    },
  },
  KILL: {
    QUERY(words) {
      wholeNumber(words);
      if (words.takes("ON")) words.name();
      return {};
    },
  },
} as const satisfies Tree;

function named(words: Words): { readonly database?: string } {
  words.name();
  return {};
}

function nameOnDatabase(words: Words): { readonly database: string } {
  words.name();
  words.expect("ON");
  return { database: words.name() };
}

function policyOfSubscription(words: Words): string {
  const { database } = nameOnDatabase(words);
  const token = words.raw();
  if (token.kind !== ".") throw words.unexpected(token, ["."]);
  words.name();
  return database;
}

function oneOf(words: Words, kinds: readonly string[]): string {
  const token = words.next();
  if (!kinds.includes(token.kind)) throw words.unexpected(token, kinds);
  return token.kind;
}

function wholeNumber(words: Words): { readonly database?: string } {
  const token = words.next();
  if (token.kind !== "INTEGER") throw words.unexpected(token, ["integer"]);
  if (BigInt(token.text) >= 2n ** 64n) {
    throw words.wrong(`strconv.ParseUint: parsing "${token.text}": value out of range`, token.at);
  }
  return {};
}

/** `FROM measurements`, `WHERE …` or both. */
function fromOrWhere(words: Words): { readonly database?: string } {
  const token = words.next();
  if (token.kind === "FROM") {
    const sources = [];
    do sources.push(measurement(words));
    while (words.takes(","));
    const last = sources.findLast((each) => each.database !== undefined || each.retention !== undefined);
    if (last !== undefined) {
      throw words.wrong(`${last.retention === undefined ? "database" : "retention policy"} not supported`, 0);
    }
  } else words.back();
  if (condition(words) === undefined && token.kind !== "FROM") throw words.unexpected(token, ["FROM", "WHERE"]);
  return {};
}

function continuousQuery(words: Words, select: Inner): { readonly database: string } {
  const { database } = nameOnDatabase(words);
  let every_ns = 0n;
  let span_ns = 0n;
  if (words.takes("RESAMPLE")) {
    if (words.takes("EVERY")) every_ns = interval(words);
    if (words.takes("FOR")) span_ns = interval(words);
    if (every_ns === 0n && span_ns === 0n) throw words.unexpected(words.next(), ["EVERY", "FOR"]);
  }
  words.expect("BEGIN", "SELECT");
  const source = select(words, "must");
  const group_ns = groupInterval(source.group);
  const isAggregate = source.columns.some(({ expression }) => hasCall(expression));
  if (isAggregate && (group_ns === 0n || typeof group_ns === "string")) {
    words.back();
    words.back();
    const reason = typeof group_ns === "string" ? [group_ns] : [];
    throw words.unexpected(words.next(), ["GROUP BY time(...)", ...reason]);
  }
  words.expect("END");
  if (typeof group_ns === "string") throw refusal(group_ns);
  const least_ns = every_ns > group_ns ? every_ns : group_ns;
  if (span_ns !== 0n && least_ns > span_ns) {
    const minimum = `must be a minimum of ${durationText(least_ns)}, got ${durationText(span_ns)}`;
    throw refusal(`FOR duration must be >= GROUP BY time duration: ${minimum}`);
  }
  return { database };
}

/** The interval of the groups, 0 if there is none; a string is what is wrong with it. */
function groupInterval(group: readonly Dimension[]): bigint | string {
  for (const dimension of group) {
    if (dimension.kind === "time") return dimension.every_ns;
    if (dimension.kind !== "expression" || dimension.expression.kind !== "call") continue;
    const { name, arguments: given } = dimension.expression;
    if (name !== "time") continue;
    if (given.length < 1 || given.length > 2) return "time dimension expected 1 or 2 arguments";
    const [every] = given;
    return every?.kind === "duration" ? every.ns : "time dimension must have duration argument";
  }
  return 0n;
}

function hasCall(part: Expression): boolean {
  if (part.kind === "binary") return hasCall(part.left) || hasCall(part.right);
  return part.kind === "call" || (part.kind === "parentheses" && hasCall(part.inner));
}

/** A duration that may not be INF. */
function interval(words: Words): bigint {
  const token = words.next();
  if (token.kind !== "DURATIONVAL") throw words.unexpected(token, ["duration"]);
  const ns = durationOf(token.text);
  if (typeof ns === "string") throw words.wrong(ns, token.at);
  return ns;
}

function duration(words: Words): void {
  const token = words.next();
  if (token.kind === "INF") return;
  if (token.kind !== "DURATIONVAL") throw words.unexpected(token, ["duration"]);
  const ns = durationOf(token.text);
  if (typeof ns === "string") throw words.wrong(ns, token.at);
}

function shardDuration(words: Words): void {
  words.expect("DURATION");
  const token = words.next();
  if (token.kind === "INF") throw words.wrong("invalid duration INF for shard duration", token.at);
  words.back();
  duration(words);
}

const MOST_COPIES = 2 ** 31 - 1;

function copies(words: Words): void {
  const token = words.next();
  if (token.kind !== "INTEGER") throw words.unexpected(token, ["integer"]);
  const number = BigInt(token.text);
  if (number >= 2n ** 63n) {
    throw words.wrong(`strconv.Atoi: parsing "${token.text}": value out of range`, token.at);
  }
  if (number < 1n || number > MOST_COPIES) {
    throw words.wrong(`invalid value ${number}: must be 1 <= n <= ${MOST_COPIES}`, token.at);
  }
}

function createDatabase(words: Words): { readonly database: string } {
  const database = words.name();
  if (!words.takes("WITH")) return { database };
  oneOf(words, ["DURATION", "NAME", "REPLICATION", "SHARD"]);
  words.back();
  if (words.takes("DURATION")) duration(words);
  if (words.takes("REPLICATION")) copies(words);
  if (words.takes("SHARD")) {
    words.expect("DURATION");
    duration(words);
  }
  if (words.takes("NAME")) words.name();
  return { database };
}

function createUser(words: Words): { readonly database?: string } {
  words.name();
  words.expect("WITH", "PASSWORD");
  words.text("STRING", "string");
  if (words.takes("WITH")) words.expect("ALL", "PRIVILEGES");
  return {};
}

function createPolicy(words: Words): { readonly database: string } {
  const { database } = nameOnDatabase(words);
  words.expect("DURATION");
  duration(words);
  words.expect("REPLICATION");
  copies(words);
  if (words.takes("SHARD")) shardDuration(words);
  words.takes("DEFAULT");
  return { database };
}

const ALTERED: Readonly<Record<string, (words: Words) => void>> = {
  DURATION: duration,
  REPLICATION: copies,
  SHARD: shardDuration,
  DEFAULT: () => undefined,
};

function alterPolicy(words: Words): { readonly database: string } {
  const policy = words.next();
  if (policy.kind !== "DEFAULT" && policy.kind !== "IDENT") throw words.unexpected(policy, ["identifier"]);
  words.expect("ON");
  const database = words.name();
  const found = new Set<string>();
  for (;;) {
    const token = words.next();
    if (found.has(token.kind)) throw words.wrong(`found duplicate ${token.kind} option`, token.at);
    const option = Object.hasOwn(ALTERED, token.kind) ? ALTERED[token.kind] : undefined;
    if (option === undefined) {
      if (found.size === 0) throw words.unexpected(token, Object.keys(ALTERED));
      words.back();
      return { database };
    }
    option(words);
    found.add(token.kind);
  }
}

/** `READ ON db TO user`, `ALL PRIVILEGES TO user`; REVOKE has FROM in the place of TO. */
function privilege(words: Words, link: "TO" | "FROM"): { readonly database?: string } {
  const token = words.next();
  if (!["READ", "WRITE", "ALL"].includes(token.kind)) {
    throw words.unexpected(token, ["READ", "WRITE", "ALL [PRIVILEGES]"]);
  }
  const isAll = token.kind === "ALL";
  if (isAll) words.takes("PRIVILEGES");
  const next = words.next();
  if (next.kind === "ON") {
    const database = words.name();
    words.expect(link);
    words.name();
    return { database };
  }
  if (next.kind === link && isAll) return named(words);
  throw words.unexpected(next, isAll ? ["ON", link] : ["ON"]);
}
