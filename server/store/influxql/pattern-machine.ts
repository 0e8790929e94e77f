/** A regular expression as a tree, for the machine below. */
export type PatternNode =
  /** One character that this expression of JavaScript's matches from end to end. */
  | { readonly kind: "set"; readonly matches: RegExp }
  | { readonly kind: "anchor"; readonly holds: (before: number | undefined, after: number | undefined) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly min: number; readonly max: number };

/** The largest machine: as many steps as each character of a text may cost. */
const MOST_STEPS = 20_000;

type Step =
  | { readonly kind: "set"; readonly matches: RegExp; readonly known: Map<number, boolean>; next: number }
  | {
      readonly kind: "anchor";
      readonly holds: (before: number | undefined, after: number | undefined) => boolean;
      next: number;
    }
  | { readonly kind: "split"; next: number; other: number }
  | { readonly kind: "match" };

/**
 * Finds whether a pattern matches anywhere in a text, in a time that grows with the text and not faster (Thompson 1968):
 * all ways through the pattern are followed at once, so that none is tried again and again as JavaScript's own engine does.
 */
export class PatternMachine {
  readonly #steps: Step[] = [];
  readonly #start: number;
  /** For each step, at which position it was last reached. */
  readonly #reached: Int32Array;

  /** Raises RangeError when the machine would be too large. */
  constructor(node: PatternNode) {
    const end = this.#add({ kind: "match" });
    this.#start = this.#build(node, end);
    this.#reached = new Int32Array(this.#steps.length);
  }

  test(text: string): boolean {
    let waiting: number[] = [];
    this.#reached.fill(-1);
    let before: number | undefined;
    for (let position = 0, index = 0; ; position++) {
      const after = text.codePointAt(index);
      const here: number[] = [];
      waiting.push(this.#start);
      if (this.#follow(waiting, position, before, after, here)) return true;
      if (after === undefined) return false;
      waiting = [];
      for (const each of here) {
        const step = this.#steps[each];
        if (step?.kind === "set" && isIn(step, after)) waiting.push(step.next);
      }
      before = after;
      index += after > 0xffff ? 2 : 1;
    }
  }

  /** Follows all that takes no character; true when the end is among it. */
  #follow(
    from: number[],
    position: number,
    before: number | undefined,
    after: number | undefined,
    here: number[],
  ): boolean {
    for (let each = from.pop(); each !== undefined; each = from.pop()) {
      if (this.#reached[each] === position) continue;
      this.#reached[each] = position;
      const step = this.#steps[each] as Step;
      if (step.kind === "match") return true;
      if (step.kind === "set") here.push(each);
      else if (step.kind === "split") from.push(step.next, step.other);
      else if (step.holds(before, after)) from.push(step.next);
    }
    return false;
  }

  #add(step: Step): number {
    if (this.#steps.length >= MOST_STEPS) throw new RangeError("expression too large");
    return this.#steps.push(step) - 1;
  }

  /** Adds the steps of a node that go on to `next`; gives the first of them. */
  #build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "set":
        return this.#add({ kind: "set", matches: node.matches, known: new Map(), next });
      case "anchor":
        return this.#add({ kind: "anchor", holds: node.holds, next });
      case "sequence":
        return node.parts.reduceRight((after, part) => this.#build(part, after), next);
      case "choice":
        return node.parts
          .map((part) => this.#build(part, next))
          .reduceRight((other, first) => this.#add({ kind: "split", next: first, other }));
      case "repeat": {
        let first = next;
        if (node.max < 0) {
          const loop = this.#add({ kind: "split", next, other: next });
          (this.#steps[loop] as { next: number }).next = this.#build(node.part, loop);
          first = loop;
        }
        for (let turn = node.min; turn < node.max; turn++) {
          first = this.#add({ kind: "split", next: this.#build(node.part, first), other: next });
        }
        for (let turn = 0; turn < node.min; turn++) first = this.#build(node.part, first);
        return first;
      }
    }
  }
}

/** Characters are few, and asked for again and again. */
const MOST_KNOWN = 4096;

function isIn(step: Extract<Step, { kind: "set" }>, code: number): boolean {
  let found = step.known.get(code);
  if (found === undefined) {
    found = step.matches.test(String.fromCodePoint(code));
    if (step.known.size < MOST_KNOWN) step.known.set(code, found);
  }
  return found;
}
