import type { Expression } from "./ast.ts";

/** An expression whose immediate parts are changed; one that has no parts is as it was. */
export function withParts(whole: Expression, change: (part: Expression) => Expression): Expression {
  if (whole.kind === "binary") return { ...whole, left: change(whole.left), right: change(whole.right) };
  if (whole.kind === "parentheses") return { ...whole, inner: change(whole.inner) };
  return whole.kind === "call" ? { ...whole, arguments: whole.arguments.map(change) } : whole;
}
