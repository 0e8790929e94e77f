import type { Expression } from "./ast.ts";
import type { MeasurementEntry, SeriesEntry } from "./catalogue.ts";
import { asExpression, fold } from "./fold.ts";
import { withParts } from "./parts.ts";
import { compilePattern } from "./pattern.ts";

/** What a condition comes to for one series: it holds for all its points, for none, or it is left to the values. */
export type Outcome = boolean | Expression;

/**
 * Decides a condition for a series by its tags alone, as far as that goes. What compares a tag with anything but a text, a
 * regular expression or another tag is left to the values, as in InfluxDB.
 */
export function decide(condition: Expression, series: SeriesEntry): Outcome {
  switch (condition.kind) {
    case "boolean":
      return condition.value;
    case "parentheses":
      return decide(condition.inner, series);
    case "binary": {
      const { operator, left, right } = condition;
      if (operator === "AND" || operator === "OR") {
        const [a, b] = [decide(left, series), decide(right, series)];
        const settles = operator === "OR";
        if (a === settles || b === settles) return settles;
        if (typeof a === "boolean") return b;
        if (typeof b === "boolean") return a;
        return { kind: "binary", operator, left: wrapped(a), right: wrapped(b) };
      }
      return decideTag(condition, series);
    }
    case "call":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "reference":
    case "regex":
    case "string":
    case "wildcard":
    default:
      return condition;
  }
}

const wrapped = (part: Expression): Expression =>
  part.kind === "binary" && (part.operator === "AND" || part.operator === "OR")
    ? { kind: "parentheses", inner: part }
    : part;

type Binary = Extract<Expression, { kind: "binary" }>;

function decideTag(condition: Binary, series: SeriesEntry): Outcome {
  const { operator, left, right } = condition;
  if (left.kind === "binary" || right.kind === "binary") return withTags(condition, series);
  const [name, value] = left.kind === "reference" ? [left, right] : [right, left];
  if (name.kind !== "reference") return withTags(condition, series);
  const { measurement } = series;
  if (isField(name, measurement) || (value.kind === "reference" && isField(value, measurement))) {
    return withTags(condition, series);
  }
  const isName = name.name === "_name";
  const tag = isName ? measurement.name : (series.tags.get(name.name) ?? "");
  switch (value.kind) {
    case "string":
      // InfluxDB finds no series by any other comparison of a tag.
      return operator === "=" ? tag === value.value : operator === "!=" && tag !== value.value;
    case "regex":
      return compilePattern(value.source).test(tag) === (operator === "=~");
    case "reference": {
      const other = series.tags.get(value.name) ?? "";
      // Two tags that are both missing are not equal: InfluxDB looks up the values that there are.
      const isSame = tag !== "" && tag === other;
      return operator === "=" ? isSame : operator === "!=" && !isSame;
    }
    case "boolean":
    case "call":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "parentheses":
    case "wildcard":
    default:
      return withTags(condition, series);
  }
}

export function isField(ref: Extract<Expression, { kind: "reference" }>, measurement: MeasurementEntry): boolean {
  if (ref.name === "_name") return false;
  if (ref.type === undefined) return measurement.fields.has(ref.name);
  return ref.type !== "tag";
}

/** Puts the series' tags in their places, so that what is left speaks of fields alone. */
function withTags(part: Expression, series: SeriesEntry): Expression {
  if (part.kind !== "reference") return withParts(part, (each) => withTags(each, series));
  if (isField(part, series.measurement)) return part;
  return { kind: "string", value: series.tags.get(part.name) ?? "" };
}

/** The fields that a condition looks at. */
export function fieldsIn(part: Expression, found = new Map<string, Extract<Expression, { kind: "reference" }>>()) {
  switch (part.kind) {
    case "reference":
      if (part.type !== "tag") found.set(`${part.name}::${part.type ?? ""}`, part);
      break;
    case "binary":
      fieldsIn(part.left, found);
      fieldsIn(part.right, found);
      break;
    case "parentheses":
      fieldsIn(part.inner, found);
      break;
    case "call":
      for (const each of part.arguments) fieldsIn(each, found);
      break;
    case "boolean":
    case "distinct":
    case "duration":
    case "integer":
    case "number":
    case "regex":
    case "string":
    case "wildcard":
    default:
  }
  return found;
}

/** Folds what came out, so that equal conditions are equal texts. */
export const simplified = (part: Expression): Expression => asExpression(fold(part));
