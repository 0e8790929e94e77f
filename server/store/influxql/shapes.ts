import type { Expression, Select, Source, Statement } from "./ast.ts";
import { durationOf } from "./duration.ts";

/** A time as dashboards write it: `1796018400000ms`. */
const TIME = /\d{10,}ms/g;
/** So many milliseconds are surely no more than 64 bits of nanoseconds hold. */
const SAFE_MS = 9_000_000_000_000;
/** What takes the place of a time in a shape: no text that is kept has it. */
const PLACE = "\0";
const MOST = { shapes: 500, letters: 2000 } as const;

type Duration = Extract<Expression, { kind: "duration" }>;

/** A duration among the operands of a text: how it is written, and what it became. */
export interface Written {
  readonly text: string;
  readonly expression: Duration;
}

interface Shape {
  readonly statements: readonly Statement[];
  /** The times of the text that was parsed, in the order in which they stand there. */
  readonly times: readonly Duration[];
}

/**
 * Texts that were parsed, by what they say beside their times: a dashboard asks the same again and again, only later each
 * time, and reading its words is most of the work of a small question.
 */
export class Shapes {
  readonly #shapes = new Map<string, Shape>();

  /** What parsing this text gives, if a text was kept that differs from it in its times alone. */
  statementsOf(text: string): Statement[] | undefined {
    if (text.length > MOST.letters) return undefined;
    const times: string[] = [];
    const shape = this.#shapes.get(shapeOf(text, times));
    if (shape === undefined || shape.times.length !== times.length) return undefined;
    const renewed = new Map<Expression, Duration>();
    for (const [index, time] of times.entries()) {
      const ms = Number(time.slice(0, -2));
      const ns = ms <= SAFE_MS ? BigInt(ms) * 1_000_000n : durationOf(time);
      if (typeof ns === "string") return undefined;
      renewed.set(shape.times[index] as Duration, { kind: "duration", ns });
    }
    return shape.statements.map((each) => renewedStatement(each, renewed));
  }

  /** Keeps what a text was parsed to; `durations` are those that stand as operands, by the index of their first digit. */
  keep(text: string, statements: readonly Statement[], durations: ReadonlyMap<number, Written>): void {
    // Where lines end with two characters, indexes are told of the text as it is with one.
    if (text.length > MOST.letters || /[\0\r]/.test(text)) return;
    const times: Duration[] = [];
    for (const { 0: found, index } of text.matchAll(TIME)) {
      const written = durations.get(index);
      // What only looks like a time is a part of a name, a text, a pattern or another number.
      if (written?.text !== found) return;
      times.push(written.expression);
    }
    const missing = new Set<Expression>(times);
    const finding: Renewed = { get: (part) => void missing.delete(part) };
    for (const each of statements) renewedStatement(each, finding);
    // What else a time does than to be compared may depend on what it says.
    if (missing.size > 0) return;
    if (this.#shapes.size >= MOST.shapes) this.#shapes.delete(this.#shapes.keys().next().value as string);
    this.#shapes.set(shapeOf(text, []), { statements, times });
  }
}

/** The text without its times, which are gathered. */
const shapeOf = (text: string, times: string[]): string =>
  text.replace(TIME, (time) => {
    times.push(time);
    return PLACE;
  });

/** What stands now where a time stood. */
interface Renewed {
  get(time: Expression): Duration | undefined;
}

function renewedStatement(statement: Statement, renewed: Renewed): Statement {
  if (statement.kind === "select") return renewedSelect(statement, renewed);
  if (statement.kind !== "show" || statement.where === undefined) return statement;
  return { ...statement, where: renewedPart(statement.where, renewed) };
}

function renewedSelect(select: Select, renewed: Renewed): Select {
  const from = select.from.some(isSubquery) ? select.from.map((each) => renewedSource(each, renewed)) : select.from;
  if (select.where === undefined) return from === select.from ? select : { ...select, from };
  return { ...select, from, where: renewedPart(select.where, renewed) };
}

const isSubquery = ({ kind }: Source): boolean => kind === "subquery";

const renewedSource = (source: Source, renewed: Renewed): Source =>
  source.kind === "subquery" ? { kind: "subquery", select: renewedSelect(source.select, renewed) } : source;

/** The same condition with other times: what has none stays as it is. */
function renewedPart(part: Expression, renewed: Renewed): Expression {
  if (part.kind === "duration") return renewed.get(part) ?? part;
  if (part.kind === "parentheses") {
    const inner = renewedPart(part.inner, renewed);
    return inner === part.inner ? part : { ...part, inner };
  }
  if (part.kind !== "binary") return part;
  const left = renewedPart(part.left, renewed);
  const right = renewedPart(part.right, renewed);
  return left === part.left && right === part.right ? part : { ...part, left, right };
}
