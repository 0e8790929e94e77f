import type { Column, Expression } from "./ast.ts";
import { typeOf, type ValueType } from "./evaluate.ts";
import { isMathFunction } from "./fold.ts";
import type { Ref } from "./options.ts";
import { printExpression } from "./print.ts";
import { compareText } from "./tags.ts";

export const hasCall = (part: Expression): boolean =>
  (part.kind === "call" && (!isMathFunction(part.name) || part.arguments.some(hasCall))) ||
  (part.kind === "binary" && (hasCall(part.left) || hasCall(part.right))) ||
  (part.kind === "parentheses" && hasCall(part.inner));

type Call = Extract<Expression, { kind: "call" }>;

/** What the columns are computed from: calls, and fields and tags beside them, each with a place of its own. */
export class Parts {
  readonly calls: { call: Call; place: number; type: ValueType }[] = [];
  readonly refs: { ref: Ref; place: number }[] = [];
  readonly #places = new Map<string, number>();

  constructor(columns: readonly Column[]) {
    for (const { expression } of columns) this.#visit(expression);
    this.refs.sort((a, b) => compareText(a.ref.name, b.ref.name));
  }

  get size(): number {
    return this.#places.size;
  }

  placeOf = (part: Expression): number | undefined =>
    part.kind === "call" || part.kind === "reference" ? this.#places.get(printExpression(part)) : undefined;

  #visit(part: Expression): void {
    switch (part.kind) {
      case "call": {
        if (isMathFunction(part.name)) {
          part.arguments.forEach((each) => this.#visit(each));
          return;
        }
        const place = this.#place(part);
        if (place !== undefined) this.calls.push({ call: part, place, type: typeOf(part) });
        return;
      }
      case "reference": {
        const place = this.#place(part);
        if (place !== undefined) this.refs.push({ ref: { name: part.name, type: part.type }, place });
        return;
      }
      case "binary":
        this.#visit(part.left);
        this.#visit(part.right);
        return;
      case "parentheses":
        this.#visit(part.inner);
        return;
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
  }

  #place(part: Expression): number | undefined {
    const key = printExpression(part);
    if (this.#places.has(key)) return undefined;
    const place = this.#places.size;
    this.#places.set(key, place);
    return place;
  }
}

/** Functions that show a point as it is, with its own time where nothing divides time into windows. */
export const SELECTORS = new Set(["first", "last", "min", "max", "percentile", "sample", "top", "bottom"]);
