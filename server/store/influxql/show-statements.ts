import type { Measurement, Show } from "./ast.ts";
import { condition, count, dimensions, measurement, order } from "./clauses.ts";
import { requiredPattern } from "./expressions.ts";
import type { Words } from "./lexer.ts";

type Clause =
  | "on"
  | "from"
  | "with measurement"
  | "with key"
  | "where"
  | "group"
  | "order"
  | "limits"
  | "series limits"
  | "for user"
  | "for module";
type What = Show["what"];

const LISTING: readonly Clause[] = ["where", "order", "limits"];
const CARDINALITY: readonly Clause[] = ["where", "group", "limits"];

/** What may follow each SHOW, in the order in which it must. */
const CLAUSES: Readonly<Record<What, readonly Clause[]>> = {
  "continuous queries": [],
  databases: [],
  diagnostics: ["for module"],
  "field keys": ["on", "from", "order", "limits"],
  "field key cardinality": ["on", "from", ...CARDINALITY],
  grants: ["for user"],
  "measurement cardinality": ["on", "from", ...CARDINALITY],
  measurements: ["on", "with measurement", ...LISTING],
  queries: [],
  "retention policies": ["on"],
  series: ["on", "from", ...LISTING],
  "series cardinality": ["on", "from", ...CARDINALITY],
  "shard groups": [],
  shards: [],
  stats: ["for module"],
  subscriptions: [],
  "tag keys": ["on", "from", ...LISTING, "series limits"],
  "tag key cardinality": ["on", "from", ...CARDINALITY],
  "tag values": ["on", "from", "with key", ...LISTING],
  "tag values cardinality": ["on", "from", "with key", ...CARDINALITY],
  users: [],
};

/** Words after SHOW, in the order in which InfluxDB lists what it expected. */
type Tree = { readonly [word: string]: Tree | What };
const TREE: Tree = {
  CONTINUOUS: { QUERIES: "continuous queries" },
  DATABASES: "databases",
  DIAGNOSTICS: "diagnostics",
  FIELD: { KEY: "field key cardinality", KEYS: "field keys" },
  GRANTS: { FOR: "grants" },
  MEASUREMENT: { EXACT: "measurement cardinality", CARDINALITY: "measurement cardinality" },
  MEASUREMENTS: "measurements",
  QUERIES: "queries",
  RETENTION: { POLICIES: "retention policies" },
  SERIES: "series",
  SHARD: { GROUPS: "shard groups" },
  SHARDS: "shards",
  STATS: "stats",
  SUBSCRIPTIONS: "subscriptions",
  TAG: { KEY: "tag key cardinality", KEYS: "tag keys", VALUES: "tag values" },
  USERS: "users",
};

type Draft = { -readonly [Key in keyof Show]: Show[Key] };

/** What stands after SHOW. */
export function show(words: Words): Show {
  let tree = TREE;
  for (;;) {
    const token = words.next();
    const branch = Object.hasOwn(tree, token.kind) ? tree[token.kind] : undefined;
    if (branch === undefined) throw words.unexpected(token, Object.keys(tree));
    if (typeof branch === "string") return filled(words, cardinality(words, branch, token.kind));
    tree = branch;
  }
}

function filled(words: Words, draft: Draft): Show {
  for (const clause of CLAUSES[draft.what]) READ[clause](words, draft);
  return draft;
}

/** Settles whether keys, values or series are listed or counted: `EXACT` and `CARDINALITY` stand at different places. */
function cardinality(words: Words, what: What, last: string): Draft {
  const draft: Draft = { kind: "show", what, from: [], order: "asc", limit: 0, offset: 0, slimit: 0, soffset: 0 };
  switch (what) {
    case "measurement cardinality":
      if (last === "EXACT") {
        words.expect("CARDINALITY");
        draft.isExact = true;
      }
      break;
    case "tag key cardinality":
    case "field key cardinality": {
      const isExact = words.takes("EXACT");
      const token = words.next();
      if (token.kind !== "CARDINALITY") {
        throw words.unexpected(token, isExact ? ["CARDINALITY"] : ["EXACT", "CARDINALITY"]);
      }
      if (isExact) draft.isExact = true;
      break;
    }
    case "series":
      // EXACT without CARDINALITY is let pass.
      if (words.takes("EXACT")) draft.isExact = true;
      if (words.takes("CARDINALITY")) draft.what = "series cardinality";
      else delete draft.isExact;
      break;
    case "tag values":
      if (words.takes("EXACT")) {
        words.expect("CARDINALITY");
        draft.isExact = true;
        draft.what = "tag values cardinality";
      } else if (words.takes("CARDINALITY")) draft.what = "tag values cardinality";
      break;
    case "continuous queries":
    case "databases":
    case "diagnostics":
    case "field keys":
    case "grants":
    case "measurements":
    case "queries":
    case "retention policies":
    case "series cardinality":
    case "shard groups":
    case "shards":
    case "stats":
    case "subscriptions":
    case "tag keys":
    case "tag values cardinality":
    case "users":
    default:
      break;
  }
  return draft;
}

const READ: Readonly<Record<Clause, (words: Words, draft: Draft) => void>> = {
  on(words, draft) {
    if (words.takes("ON")) draft.database = words.name();
  },
  from(words, draft) {
    if (!words.takes("FROM")) return;
    const from: Measurement[] = [];
    do from.push(measurement(words));
    while (words.takes(","));
    draft.from = from;
  },
  "with measurement"(words, draft) {
    if (!words.takes("WITH")) return;
    words.expect("MEASUREMENT");
    const token = words.next();
    if (token.kind !== "=" && token.kind !== "=~") throw words.unexpected(token, ["=", "=~"]);
    draft.withMeasurement = measurement(words).name;
  },
  "with key"(words, draft) {
    words.expect("WITH", "KEY");
    const token = words.next();
    switch (token.kind) {
      case "IN":
        words.expect("(");
        draft.withKey = { operator: "IN", keys: names(words) };
        words.expect(")");
        break;
      case "=":
      case "!=":
        draft.withKey = { operator: token.kind, keys: [words.name()] };
        break;
      case "=~":
      case "!~":
        draft.withKey = { operator: token.kind, keys: requiredPattern(words) };
        break;
      default:
        throw words.unexpected(token, ["IN", "=", "=~"]);
    }
  },
  where(words, draft) {
    const where = condition(words);
    if (where !== undefined) draft.where = where;
  },
  group(words, draft) {
    const group = dimensions(words);
    if (group.length > 0) draft.group = group;
  },
  order(words, draft) {
    draft.order = order(words) ?? "asc";
  },
  limits(words, draft) {
    draft.limit = count(words, "LIMIT");
    draft.offset = count(words, "OFFSET");
  },
  "series limits"(words, draft) {
    draft.slimit = count(words, "SLIMIT");
    draft.soffset = count(words, "SOFFSET");
  },
  "for user"(words, draft) {
    draft.of = words.name();
  },
  "for module"(words, draft) {
    if (words.takes("FOR")) draft.of = words.text("STRING", "string");
  },
};

function names(words: Words): string[] {
  const found = [words.name()];
  while (words.takes(",")) found.push(words.name());
  return found;
}
