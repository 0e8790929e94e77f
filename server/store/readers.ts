/**
 * Who reads, so that what was replaced is removed only when nobody reads it any more: a reading holds on to all that was
 * there when it began.
 */
export class Readers {
  private readonly reading = new Set<object>();
  private readonly waiting: { readonly readers: Set<object>; readonly done: () => void }[] = [];

  /** Runs `work` as a reader. */
  async read<T>(work: () => Promise<T>): Promise<T> {
    const reader = {};
    this.reading.add(reader);
    try {
      return await work();
    } finally {
      this.reading.delete(reader);
      for (let index = this.waiting.length - 1; index >= 0; index--) {
        const { readers, done } = this.waiting[index] as (typeof this.waiting)[number];
        readers.delete(reader);
        if (readers.size > 0) continue;
        this.waiting.splice(index, 1);
        done();
      }
    }
  }

  /** Resolves when everyone who reads now has ended. */
  ended(): Promise<void> {
    if (this.reading.size === 0) return Promise.resolve();
    return new Promise((done) => this.waiting.push({ readers: new Set(this.reading), done }));
  }
}
