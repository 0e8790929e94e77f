/**
 * InfluxQL as a tree. Names follow InfluxData's own grammar (InfluxQL 1.8); what only writes or administers a server is
 * kept as a refused statement, so that its refusal can say what it was.
 */
export type Statement = Select | Show | Refused;

export interface Select {
  readonly kind: "select";
  readonly columns: readonly Column[];
  /** Where `INTO` would write: refused when it is run. */
  readonly into?: Measurement;
  readonly from: readonly Source[];
  readonly where?: Expression;
  readonly group: readonly Dimension[];
  readonly fill: Fill;
  readonly order: "asc" | "desc";
  /** `ORDER BY` was written: an inner SELECT that says nothing follows the outer one. */
  readonly isOrderWritten?: true;
  /** 0: no limit. */
  readonly limit: number;
  readonly offset: number;
  readonly slimit: number;
  readonly soffset: number;
  /** IANA name, as written in `tz('…')`. */
  readonly zone?: string;
}

export interface Column {
  readonly expression: Expression;
  readonly alias?: string;
}

export type Source = Measurement | Subquery;

export interface Measurement {
  readonly kind: "measurement";
  readonly database?: string;
  readonly retention?: string;
  /** A name, or all that a regular expression matches. */
  readonly name: string | RegularExpression;
}

export interface Subquery {
  readonly kind: "subquery";
  readonly select: Select;
}

export type Dimension =
  | { readonly kind: "time"; readonly every_ns: bigint; readonly offset_ns: bigint | "now" }
  | { readonly kind: "tag"; readonly name: string }
  | { readonly kind: "regex"; readonly pattern: RegularExpression }
  | { readonly kind: "wildcard" }
  /** What the grammar allows and no query can group by: `checkSelect` says why. */
  | { readonly kind: "expression"; readonly expression: Expression };

/** `auto`: nothing was written, which means null where there is an aggregate over time. */
export type Fill =
  | { readonly kind: "auto" | "null" | "none" | "previous" | "linear" }
  | { readonly kind: "number"; readonly value: number | bigint };

export type FieldType = "float" | "integer" | "unsigned" | "string" | "boolean";

export type Operator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "&"
  | "|"
  | "^"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "=~"
  | "!~"
  | "AND"
  | "OR";

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "duration"; readonly ns: bigint }
  | RegularExpression
  /** A field, a tag or `time`; `type` where it was cast with `::`. */
  | { readonly kind: "reference"; readonly name: string; readonly type?: FieldType | "field" | "tag" }
  | { readonly kind: "wildcard"; readonly type?: "field" | "tag" }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] }
  /** `DISTINCT field` without parentheses. */
  | { readonly kind: "distinct"; readonly name: string }
  | { readonly kind: "binary"; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "parentheses"; readonly inner: Expression };

export interface RegularExpression {
  readonly kind: "regex";
  /** As between the slashes, with `\/` undone. */
  readonly source: string;
}

export interface Show {
  readonly kind: "show";
  readonly what:
    | "databases"
    | "retention policies"
    | "measurements"
    | "series"
    | "tag keys"
    | "tag values"
    | "field keys"
    | "series cardinality"
    | "measurement cardinality"
    | "tag key cardinality"
    | "tag values cardinality"
    | "field key cardinality"
    | "users"
    | "grants"
    | "queries"
    | "shards"
    | "shard groups"
    | "subscriptions"
    | "continuous queries"
    | "diagnostics"
    | "stats";
  /** `EXACT` before a cardinality changes nothing here: ours are always exact. */
  readonly isExact?: true;
  readonly database?: string;
  readonly from: readonly Measurement[];
  /** `WITH MEASUREMENT = …` or `=~`. */
  readonly withMeasurement?: string | RegularExpression;
  /** `WITH KEY = …`, `!=`, `IN (…)`, `=~`, `!~`. */
  readonly withKey?: {
    readonly operator: "=" | "!=" | "IN" | "=~" | "!~";
    readonly keys: readonly string[] | RegularExpression;
  };
  readonly where?: Expression;
  /** Only a cardinality can be grouped. */
  readonly group?: readonly Dimension[];
  /** `GRANTS FOR user`, `STATS FOR 'module'`, `DIAGNOSTICS FOR 'module'`. */
  readonly of?: string;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly offset: number;
  readonly slimit: number;
  readonly soffset: number;
}

/** A statement of InfluxQL that this server understands and does not carry out, such as `DROP SERIES`. */
export interface Refused {
  readonly kind: "refused";
  /** Its first words in capitals: `CREATE DATABASE`. */
  readonly what: string;
  readonly database?: string;
}
