/** Numbers for pairs of names, 0, 1, 2… in the order of first sight: a row then carries four bytes instead of two names. */
export interface Dictionary {
  readonly size: number;
  /** The number of this pair, a new one when it has none. */
  id(first: string, second: string): number;
  find(first: string, second: string): number | undefined;
  names(id: number): readonly [first: string, second: string];
}

export function createDictionary(): Dictionary {
  const ids = new Map<string, Map<string, number>>();
  const names: (readonly [string, string])[] = [];
  return {
    get size() {
      return names.length;
    },
    id(first, second) {
      let seconds = ids.get(first);
      if (seconds === undefined) ids.set(first, (seconds = new Map()));
      let id = seconds.get(second);
      if (id === undefined) seconds.set(second, (id = names.push([first, second]) - 1));
      return id;
    },
    find: (first, second) => ids.get(first)?.get(second),
    names(id) {
      const found = names[id];
      if (found === undefined) throw new RangeError(`the dictionary has no number ${id}`);
      return found;
    },
  };
}
