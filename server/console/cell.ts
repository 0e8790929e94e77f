import { useLayoutEffect, useReducer } from "preact/hooks";

/** One value that the page draws from; whoever watches is called after each change. */
export interface Cell<T> {
  get(): T;
  /** Watchers hear of it only when the value is another one. */
  set(value: T): void;
  change(by: (value: T) => T): void;
  /** Returns the function that stops watching. */
  watch(listener: (value: T) => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  const set = (next: T): void => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of listeners) listener(next);
  };
  return {
    get: () => value,
    set,
    change: (by) => set(by(value)),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a cell; the component is drawn again when it changes. */
export function useCell<T>(from: Cell<T>): T {
  const [, redraw] = useReducer<number, null>((count) => count + 1, 0);
  const drawn = from.get();
  useLayoutEffect(() => {
    const stop = from.watch(() => redraw(null));
    // It may have moved between drawing and watching.
    if (!Object.is(from.get(), drawn)) redraw(null);
    return stop;
  }, [from]);
  return drawn;
}
