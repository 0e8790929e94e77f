import type { Column, Dimension, Expression, Measurement, Select, Source } from "./ast.ts";
import type { Catalogue } from "./catalogue.ts";
import { fault } from "./condition.ts";
import { typeOf, type ValueType } from "./evaluate.ts";
import { asExpression, fold } from "./fold.ts";
import { withParts } from "./parts.ts";
import { compilePattern } from "./pattern.ts";
import { printExpression } from "./print.ts";
import { compareText } from "./tags.ts";

/** Which of two types a name has that has both in different places. */
const PRECEDENCE: readonly ValueType[] = ["float", "integer", "unsigned", "string", "boolean", "tag"];

function stronger(a: ValueType, b: ValueType): ValueType {
  if (a === undefined || b === undefined) return a ?? b;
  return PRECEDENCE.indexOf(b) < PRECEDENCE.indexOf(a) ? b : a;
}

/**
 * A SELECT with all that the catalogue knows put in: measurements for regular expressions, fields and tags for wildcards, a
 * type at every name, DISTINCT as a call, no time among the columns. Raises InfluxError in its words.
 */
export function resolve(select: Select, catalogue: Catalogue): Select {
  const from = select.from.flatMap((source) => sourcesOf(source, catalogue));
  const known = new Names(from, catalogue);
  const columns = select.columns
    .filter(({ expression }) => !isTime(expression))
    .map((column) => ({
      ...column,
      expression: known.typed(undistinct(asExpression(fold(column.expression, { isMath: true })))),
    }));
  const isGroupOpen = select.group.some((each) => each.kind === "wildcard" || each.kind === "regex");
  const group = isGroupOpen ? select.group.flatMap((each) => groupsOf(each, known)) : select.group;
  const names = columns.some(({ expression }) => isOpen(expression))
    ? known.all(isGroupOpen ? undefined : select.group)
    : [];
  return {
    ...select,
    from,
    columns: columns.flatMap((column) => columnsOf(column, names)),
    group,
    ...(select.where && { where: known.typed(select.where) }),
  };
}

export const isTime = (part: Expression): boolean => part.kind === "reference" && part.name === "time";

function undistinct(part: Expression): Expression {
  if (part.kind !== "distinct") return withParts(part, undistinct);
  return { kind: "call", name: "distinct", arguments: [{ kind: "reference", name: part.name }] };
}

function sourcesOf(source: Source, catalogue: Catalogue): Source[] {
  if (source.kind === "subquery") return [{ kind: "subquery", select: resolve(source.select, catalogue) }];
  if (typeof source.name === "string") return [source];
  const pattern = compilePattern(source.name.source);
  return catalogue
    .sorted()
    .filter(({ name }) => pattern.test(name))
    .map(({ name }): Measurement => ({ ...source, name }));
}

interface Name {
  readonly name: string;
  readonly type: ValueType;
}

/** What the sources of a SELECT offer. */
class Names {
  readonly #sources: readonly Source[];
  readonly #catalogue: Catalogue;

  constructor(sources: readonly Source[], catalogue: Catalogue) {
    this.#sources = sources;
    this.#catalogue = catalogue;
  }

  typed(part: Expression): Expression {
    if (part.kind !== "reference") return withParts(part, (each) => this.typed(each));
    if (part.type !== undefined && part.type !== "field") return part;
    const type = this.#typeOf(part.name);
    if (part.type === "field" && type === "tag") return part;
    return type === undefined ? { kind: "reference", name: part.name } : { ...part, type };
  }

  #typeOf(name: string): ValueType {
    let found: ValueType;
    for (const source of this.#sources) {
      if (source.kind === "measurement") {
        const measurement = this.#catalogue.measurements.get(source.name as string);
        const own = measurement?.fields.get(name) ?? (measurement?.tagKeys.has(name) ? "tag" : undefined);
        found = stronger(found, own);
      } else {
        for (const column of source.select.columns) {
          if (nameOf(column) === name) found = stronger(found, typeOf(column.expression, false));
        }
        if (found === undefined && source.select.group.some((each) => each.kind === "tag" && each.name === name)) {
          found = "tag";
        }
      }
    }
    return found;
  }

  /** Fields and tags for a wildcard, in order; tags that are grouped by are left out, and all where `group` is undefined. */
  all(group: readonly Dimension[] | undefined): Name[] {
    const fields = new Map<string, ValueType>();
    const tags = new Set<string>();
    for (const source of this.#sources) {
      if (source.kind === "measurement") {
        const measurement = this.#catalogue.measurements.get(source.name as string);
        for (const [name, type] of measurement?.fields ?? []) fields.set(name, stronger(fields.get(name), type));
        for (const tag of measurement?.tagKeys.keys() ?? []) tags.add(tag);
      } else {
        for (const column of source.select.columns) {
          const name = nameOf(column);
          if (!fields.has(name)) fields.set(name, typeOf(column.expression, false));
          else fields.set(name, stronger(fields.get(name), typeOf(column.expression, false)));
        }
        for (const each of source.select.group) if (each.kind === "tag") tags.add(each.name);
      }
    }
    if (fields.size === 0) return [];
    const names: Name[] = [...fields].map(([name, type]) => ({ name, type }));
    if (group !== undefined) {
      for (const each of group) if (each.kind === "tag") tags.delete(each.name);
      for (const name of tags) names.push({ name, type: "tag" });
    }
    return names.sort((a, b) => compareText(a.name, b.name) || PRECEDENCE.indexOf(a.type) - PRECEDENCE.indexOf(b.type));
  }

  tags(): string[] {
    const tags = new Set<string>();
    for (const source of this.#sources) {
      if (source.kind === "measurement") {
        for (const tag of this.#catalogue.measurements.get(source.name as string)?.tagKeys.keys() ?? []) tags.add(tag);
      } else for (const each of source.select.group) if (each.kind === "tag") tags.add(each.name);
    }
    return [...tags].sort(compareText);
  }
}

function groupsOf(dimension: Dimension, names: Names): Dimension[] {
  if (dimension.kind !== "wildcard" && dimension.kind !== "regex") return [dimension];
  const pattern = dimension.kind === "regex" ? compilePattern(dimension.pattern.source) : undefined;
  return names
    .tags()
    .filter((name) => pattern?.test(name) ?? true)
    .map((name) => ({ kind: "tag", name }));
}

function isOpen(part: Expression): boolean {
  switch (part.kind) {
    case "wildcard":
    case "regex":
      return true;
    case "call":
      return part.arguments.some(isOpen);
    case "binary":
      return isOpen(part.left) || isOpen(part.right);
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "parentheses":
    case "reference":
    case "string":
    default:
      return false;
  }
}

const reference = ({ name, type }: Name): Expression =>
  type === undefined ? { kind: "reference", name } : { kind: "reference", name, type };

function columnsOf(column: Column, names: readonly Name[]): Column[] {
  const { expression } = column;
  switch (expression.kind) {
    case "wildcard":
      return names
        .filter(({ type }) => expression.type === undefined || (expression.type === "tag") === (type === "tag"))
        .map((name) => ({ expression: reference(name) }));
    case "regex": {
      const pattern = compilePattern(expression.source);
      return names.filter(({ name }) => pattern.test(name)).map((name) => ({ expression: reference(name) }));
    }
    case "call":
      return callsOf(column, expression, names);
    case "binary":
      if (isOpen(expression)) {
        const kind = hasRegex(expression) ? "regex field" : "wildcard";
        throw fault(`unsupported expression with ${kind}: ${printExpression(expression)}`);
      }
      return [column];
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "parentheses":
    case "reference":
    case "string":
    default:
      return [column];
  }
}

const hasRegex = (part: Expression): boolean =>
  part.kind === "regex" ||
  (part.kind === "binary" && (hasRegex(part.left) || hasRegex(part.right))) ||
  (part.kind === "call" && part.arguments.some(hasRegex));

type Call = Extract<Expression, { kind: "call" }>;
const TAKES_TEXTS = new Set(["count", "first", "last", "distinct", "elapsed", "mode", "sample"]);
const TAKES_BOOLEANS = new Set([...TAKES_TEXTS, "min", "max"]);

function callsOf(column: Column, call: Call, names: readonly Name[]): Column[] {
  const inner = innermost(call);
  const [field] = inner.arguments;
  if (field?.kind !== "wildcard" && field?.kind !== "regex") return [column];
  if (field.kind === "wildcard" && field.type === "tag") throw fault(`unable to use tag wildcard in ${inner.name}()`);
  const pattern = field.kind === "regex" ? compilePattern(field.source) : undefined;
  return names
    .filter(({ name, type }) => {
      if (type === "tag" || type === undefined || type === "field") return false;
      if (type === "string" && !TAKES_TEXTS.has(inner.name)) return false;
      if (type === "boolean" && !TAKES_BOOLEANS.has(inner.name)) return false;
      return pattern?.test(name) ?? true;
    })
    .map((name) => ({ expression: withField(call, reference(name)), alias: `${nameOf(column)}_${name.name}` }));
}

function innermost(call: Call): Call {
  const [first] = call.arguments;
  return first?.kind === "call" ? innermost(first) : call;
}

function withField(call: Call, field: Expression): Call {
  const [first, ...rest] = call.arguments;
  return { ...call, arguments: [first?.kind === "call" ? withField(first, field) : field, ...rest] };
}

/** What a column is called that has no other name. */
export function nameOf({ expression, alias }: Column): string {
  if (alias !== undefined && alias !== "") return alias;
  switch (expression.kind) {
    case "call":
    case "reference":
      return expression.name;
    case "parentheses":
      return nameOf({ expression: expression.inner });
    case "binary":
      return namesIn(expression).join("_");
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "regex":
    case "string":
    case "wildcard":
    default:
      return "";
  }
}

function namesIn(part: Expression): string[] {
  switch (part.kind) {
    case "reference":
    case "call":
      return [part.name];
    case "binary":
      return [...namesIn(part.left), ...namesIn(part.right)];
    case "parentheses":
      return namesIn(part.inner);
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "regex":
    case "string":
    case "wildcard":
    default:
      return [];
  }
}

/** A column for each tag or field that top and bottom name beside the value. */
export function spread(columns: readonly Column[]): Column[] {
  return columns.flatMap((column) => {
    const { expression } = column;
    if (expression.kind !== "call" || (expression.name !== "top" && expression.name !== "bottom")) return [column];
    return [column, ...expression.arguments.slice(1, -1).map((each) => ({ expression: each }))];
  });
}

/** The names of columns: what is called the same is numbered. */
export function columnNames(columns: readonly Column[]): string[] {
  const names: (string | undefined)[] = columns.map(({ alias }) =>
    alias === undefined || alias === "" ? undefined : alias,
  );
  const counts = new Map<string, number>();
  for (const name of names) if (name !== undefined) counts.set(name, 1);
  return columns.map((column, index) => {
    const given = names[index];
    if (given !== undefined) return given;
    const name = nameOf(column);
    const count = counts.get(name);
    if (count === undefined) {
      counts.set(name, 1);
      return name;
    }
    for (let number = count; ; number++) {
      const numbered = `${name}_${number}`;
      if (counts.has(numbered)) continue;
      counts.set(name, number + 1);
      counts.set(numbered, 1);
      return numbered;
    }
  });
}
