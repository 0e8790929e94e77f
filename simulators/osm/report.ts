/** What an import found, and what it had to fill in or leave out: told to the person, who knows the town better. */
export class ImportReport {
  readonly found: Record<string, number> = {};
  readonly filled: Record<string, { count: number; with: string }> = {};
  readonly skipped: Record<string, number> = {};
  readonly notes: string[] = [];

  find(what: string, count: number): void {
    this.found[what] = count;
  }

  fill(attribute: string, value: string): void {
    const entry = (this.filled[attribute] ??= { count: 0, with: value });
    entry.count++;
  }

  skip(what: string): void {
    this.skipped[what] = (this.skipped[what] ?? 0) + 1;
  }

  note(sentence: string): void {
    this.notes.push(sentence);
  }

  /** The report as lines of at most some 100 characters, found things first. */
  lines(): string[] {
    return [
      ...Object.entries(this.found).map(([what, count]) => `${count} ${what}`),
      ...Object.entries(this.filled).map(
        ([attribute, { count, with: value }]) => `filled ${count} times: ${attribute}, ${value}`,
      ),
      ...Object.entries(this.skipped).map(([what, count]) => `left out: ${count} ${what}`),
      ...this.notes,
    ];
  }
}
