import type { Store } from "#server/store/store.ts";

/** What every store can, as functions of an object that can be spread, so that a test changes one of them. */
export const bound = (store: Store): Store => ({
  open: () => store.open(),
  commit: (contributions) => store.commit(contributions),
  marks: () => store.marks(),
  latest: () => store.latest(),
  range: (...query) => store.range(...query),
  during: (...span) => store.during(...span),
  record: (points) => store.record(points),
  recorded: (from, to) => store.recorded(from, to),
  recordings: () => store.recordings(),
  aggregate: (query) => store.aggregate(query),
  series: () => store.series(),
  size: () => store.size(),
  prune: (before) => store.prune(before),
  close: () => store.close(),
});
