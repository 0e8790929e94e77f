/** The name that takes the fewest letters to change (Levenshtein 1966), for "did you mean". */
export function nearest(given: string, names: readonly string[]): string {
  let best = names[0] ?? "";
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const changes = distance(given, name);
    if (changes < least) [best, least] = [name, changes];
  }
  return best;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
